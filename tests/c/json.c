/* The JSON reader and writer. */
#include "support.h"

#include "io/json.h"

#include <stdio.h>

/* Write a tree out again. */
static void put_tree(mlpli_buffer *b, const mlpli_json_tree *t, int64_t i) {
  const mlpli_json_node *n = mlpli_json_at(t, i);
  const char *text = t->text.p + n->text;
  switch (n->kind) {
    case '"': mlpli_json_put_string(b, text, n->length); return;
    case '0': mlpli_json_put_real(b, n->number); return;
    case 't': mlpli_json_put(b, "true"); return;
    case 'f': mlpli_json_put(b, "false"); return;
    case 'n': mlpli_json_put(b, "null"); return;
  }
  mlpli_json_put(b, n->kind == '{' ? "{" : "[");
  for (int64_t c = n->first; c >= 0; c = mlpli_json_at(t, c)->next) {
    const char *key = t->text.p + mlpli_json_at(t, c)->key;
    if (c != n->first) mlpli_json_put(b, ",");
    if (n->kind == '{') mlpli_json_put_string(b, key, strlen(key));
    if (n->kind == '{') mlpli_json_put(b, ":");
    put_tree(b, t, c);
  }
  mlpli_json_put(b, n->kind == '{' ? "}" : "]");
}

static void reads_what_it_writes(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{}", "{}"}, {"[]", "[]"}, {" [ 1 , 2 ] ", "[1,2]"}, {"null", "null"}, {"\"\"", "\"\""},
      {"{\"a\":{\"b\":[true,false,null]},\"c\":\"d\"}", "{\"a\":{\"b\":[true,false,null]},\"c\":\"d\"}"},
      {"\r\n\t{\"a\"\n:\t1\r}\n", "{\"a\":1}"}, {"-0.5e+3", "-500"}, {"[0,-0,1.25,1e-7,0.1]", "[0,-0,1.25,1e-07,0.1]"},
      {"1e22", "1e+22"}, {"123456789012345678", "1.2345678901234568e+17"},
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\u0008\\u000c\\u000a\\u000d\\u0009\""},
      {"\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
      {"\"\xc3\xa9\xf4\x8f\xbf\xbf\xed\x9f\xbf\"", "\"\xc3\xa9\xf4\x8f\xbf\xbf\xed\x9f\xbf\""},
      {"\"a\\u0000b\"", "\"a\\u0000b\""}, {"{\"\":1}", "{\"\":1}"},
  };
  mlpl_ctx *cx = test_open(0);
  for (int i = 0; i < COUNT(cases); i++) {
    mlpli_json_tree t;
    mlpli_buffer b = mlpli_buffer_of(cx, "test");
    assert_works(cx, mlpli_json_parse(&t, cx, "t", cases[i][0], strlen(cases[i][0])));
    put_tree(&b, &t, 0);
    assert_works(cx, mlpli_buffer_add(&b, "", 1));
    assert_string_equal(b.p, cases[i][1]);
    mlpli_buffer_free(&b);
    mlpli_json_free(&t);
  }
  test_close(cx);
}

static void refuses_what_is_no_json(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "t: JSON: expected a value at byte 0"}, {"  ", "expected a value at byte 2"},
      {"tru", "expected a value"}, {"nil", "expected a value"}, {"'a'", "expected a value at byte 0"},
      {"{} x", "expected nothing more at byte 3"}, {"1 2", "expected nothing more at byte 2"},
      {"[1 2]", "expected ',' or ']' at byte 3"}, {"[1,]", "expected a value at byte 3"},
      {"[,1]", "expected a value at byte 1"}, {"[1", "expected ',' or ']' at byte 2"}, {"[", "expected a value at byte 1"},
      {"{\"a\"}", "expected ':' at byte 4"}, {"{\"a\":}", "expected a value at byte 5"},
      {"{\"a\":1,}", "expected a string at byte 7"}, {"{a:1}", "expected a string at byte 1"},
      {"{\"a\":1 \"b\":2}", "expected ',' or '}' at byte 7"}, {"{\"a\":1]", "expected ',' or '}' at byte 6"},
      {"{1:2}", "expected a string at byte 1"}, {"{\"a\":1", "expected ',' or '}' at byte 6"},
      {"{\"a\":1,\"b\":2,\"a\":3}", "t: JSON: the name 'a' appears twice"},
      {"{\"a\\u0000b\":1}", "t: JSON: a name holds a NUL"},
      {"01", "expected a number"}, {"-", "expected a number"}, {"1.", "expected a number"}, {".5", "expected a value"},
      {"1e", "expected a number"}, {"1e+", "expected a number"}, {"+1", "expected a value"}, {"-01", "expected a number"},
      {"NaN", "expected a value"}, {"-Infinity", "expected a number"}, {"0x10", "expected nothing more at byte 1"},
      {"1e999", "expected a number that a double holds"}, {"-1e999", "expected a number that a double holds"},
      {"\"abc", "expected the end of a string at byte 4"}, {"\"", "expected the end of a string"},
      {"\"a\nb\"", "expected a printable character at byte 2"}, {"\"\\x\"", "expected one of \"\\/bfnrtu at byte 2"},
      {"\"\\", "expected one of"}, {"\"\\u12g4\"", "expected four hexadecimal digits at byte 5"},
      {"\"\\u12", "expected four hexadecimal digits"}, {"\"\\ud800\"", "expected a low surrogate at byte 7"},
      {"\"\\ud800\\n\"", "expected a low surrogate at byte 7"},
      {"\"\\ud800\\u0041\"", "expected a low surrogate before what ends at byte 13"},
      {"\"\\udc00\"", "expected a high surrogate before the low one that ends at byte 7"},
      {"\"\x80\"", "t: JSON: byte 1 is not UTF-8"}, {"\"a\xc0\x80\"", "byte 2 is not UTF-8"}, {"\"\xe0\x80\x80\"", "not UTF-8"},
      {"\"\xed\xa0\x80\"", "byte 1 is not UTF-8"}, {"\"\xf4\x90\x80\x80\"", "not UTF-8"}, {"\"\xf0\x80\x80\x80\"", "not UTF-8"},
      {"\"\xe2\x82\"", "byte 1 is not UTF-8"}, {"\xff", "byte 0 is not UTF-8"}, {"\"\xc3", "byte 1 is not UTF-8"},
  };
  mlpl_ctx *cx = test_open(0);
  mlpli_json_tree t;
  for (int i = 0; i < COUNT(cases); i++)
    assert_fails(cx, mlpli_json_parse(&t, cx, "t", cases[i][0], strlen(cases[i][0])), MLPL_EFORMAT, cases[i][1]);
  char deep[200];
  memset(deep, '[', 65);
  memset(deep + 65, ']', 65);
  assert_fails(cx, mlpli_json_parse(&t, cx, "t", deep, 130), MLPL_EFORMAT, "t: JSON: nested more than 64 deep at byte 64");
  assert_works(cx, mlpli_json_parse(&t, cx, "t", deep + 1, 128));
  mlpli_json_free(&t);
  char digits[200];
  memset(digits, '1', sizeof digits);
  assert_fails(cx, mlpli_json_parse(&t, cx, "t", digits, sizeof digits), MLPL_EFORMAT, "less than 128 characters");
  char names[2000] = "{", *p = names + 1;
  for (int i = 0; i < 65; i++) p += sprintf(p, "%s\"k%d\":0", i ? "," : "", i);
  *p++ = '}';
  assert_fails(cx, mlpli_json_parse(&t, cx, "t", names, (size_t)(p - names)), MLPL_EFORMAT,
      "t: JSON: more than 64 names in one object");
  test_close(cx);
}

static void reads_whole_numbers_exactly(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const struct {
    const char *text;
    uint64_t value;
  } good[] = {{"0", 0}, {"9007199254740993", UINT64_C(9007199254740993)}, {" 18446744073709551615", UINT64_MAX}};
  static const char *const bad[] = {"-1", "1.0", "1e3", "00", "01", "\"1\"", "", "18446744073709551616", "99999999999999999999"};
  mlpli_json j;
  uint64_t v;
  for (int i = 0; i < COUNT(good); i++) {
    assert_works(cx, mlpli_json_start(&j, cx, "t", good[i].text, strlen(good[i].text), 3));
    assert_works(cx, mlpli_json_whole(&j, &v));
    assert_true(v == good[i].value);
    assert_works(cx, mlpli_json_finish(&j));
  }
  for (int i = 0; i < COUNT(bad); i++) {
    assert_works(cx, mlpli_json_start(&j, cx, "t", bad[i], strlen(bad[i]), 3));
    assert_fails(cx, mlpli_json_whole(&j, &v), MLPL_EFORMAT, i < 7 ? "expected a whole number from 0" : "below 2^64");
  }
  test_close(cx);
}

static void finds_children(void **state) {
  (void)state;
  static const char text[] = "{\"a\":[1,2,3],\"b\":\"x\\u0000y\"}";
  mlpl_ctx *cx = test_open(0);
  mlpli_json_tree t;
  assert_works(cx, mlpli_json_parse(&t, cx, "t", text, sizeof text - 1));
  int64_t a = mlpli_json_find(&t, 0, "a"), b = mlpli_json_find(&t, 0, "b");
  assert_int_equal(mlpli_json_find(&t, 0, "c"), -1);
  assert_int_equal(mlpli_json_at(&t, a)->n, 3);
  assert_int_equal(mlpli_json_at(&t, 0)->n, 2);
  assert_int_equal(mlpli_json_at(&t, b)->length, 3);
  assert_memory_equal(t.text.p + mlpli_json_at(&t, b)->text, "x\0y", 4);
  mlpli_json_free(&t);
  test_close(cx);
}

static void refuses_to_write(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpli_buffer b = mlpli_buffer_of(cx, "test");
  assert_fails(cx, mlpli_json_put_real(&b, NAN), MLPL_EARG, "nan cannot be written as a number");
  assert_fails(cx, mlpli_json_put_real(&b, -INFINITY), MLPL_EARG, "-inf cannot be written as a number");
  assert_fails(cx, mlpli_json_put_string(&b, "a\xff", 2), MLPL_EARG, "byte 1 of a text is not UTF-8");
  assert_works(cx, mlpli_json_put_int(&b, INT64_MIN));
  assert_memory_equal(b.p, "-9223372036854775808", 20);
  mlpli_buffer_free(&b);
  test_close(cx);
}

static mlpl_status parse_task(mlpl_ctx *cx, void *text) {
  mlpli_json_tree t;
  MLPL_TRY(mlpli_json_parse(&t, cx, "t", text, strlen(text)));
  mlpli_json_free(&t);
  return MLPL_OK;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  char text[3000] = "[", *p = text + 1;
  for (int i = 0; i < 100; i++) p += sprintf(p, "{\"name\":\"text %d\"},", i);
  p[-1] = ']';
  test_every_failure(parse_task, text);
}

/* Cut and changed texts: an error or a tree, never a read past the end (the copy is exactly as long as the text). */
static void damaged_texts_do_no_harm(void **state) {
  (void)state;
  static const char text[] = "{\"a\":[1,-2.5e3,true,null],\"b\\u00e9\":{\"c\":\"\\ud83d\\ude00 \xc3\xa9\",\"d\":[]}}";
  mlpl_ctx *cx = test_open(0);
  uint64_t seed = 8;
  for (int i = 0; i < 20000; i++) {
    size_t n = i < (int)sizeof text ? (size_t)i : sizeof text - 1;
    char *copy = malloc(n ? n : 1);
    memcpy(copy, text, n);
    if (i >= (int)sizeof text)
      for (int k = 0; k <= i % 3; k++) copy[test_random(&seed) % n] = (char)test_random(&seed);
    mlpli_json_tree t;
    mlpl_status status = mlpli_json_parse(&t, cx, "t", copy, n);
    assert_true(status == MLPL_OK || status == MLPL_EFORMAT);
    if (status == MLPL_OK) mlpli_json_free(&t);
    free(copy);
  }
  test_close(cx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_it_writes),
      cmocka_unit_test(refuses_what_is_no_json),
      cmocka_unit_test(reads_whole_numbers_exactly),
      cmocka_unit_test(finds_children),
      cmocka_unit_test(refuses_to_write),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(damaged_texts_do_no_harm),
  };
  return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
