/* The CSV reader: what it understands, and what it says about what it does not. */
#include "support.h"

#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>

static const mlpl_csv_options plain = {.header = -1};

static mlpl_dataset *read_text(mlpl_ctx *cx, const char *text, const mlpl_csv_options *o) {
  mlpl_dataset *ds;
  assert_works(cx, mlpl_csv_read(cx, &ds, test_write_text("t.csv", text), o));
  return ds;
}

/* x has these rows and columns and counts up from 1. */
static void check_counting(mlpl_dataset *ds, int64_t rows, int64_t columns) {
  mlpl_tensor *x = mlpl_dataset_x(ds);
  assert_int_equal(mlpl_tensor_ndim(x), 2);
  assert_int_equal(mlpl_tensor_shape(x)[0], rows);
  assert_int_equal(mlpl_tensor_shape(x)[1], columns);
  for (int64_t i = 0; i < rows * columns; i++)
    assert_true(test_at2(x, i / columns, i % columns) == (double)(i + 1));
}

static void understands_all_spellings(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  static const char *const texts[] = {
      "1,2,3\n4,5,6\n", "1,2,3\n4,5,6", "1,2,3\r\n4,5,6\r\n", "1;2;3\n4;5;6\n", "1\t2\t3\n4\t5\t6\n",
      "1 2 3\n4 5 6\n", "  1   2 3  \n 4\t5 6\t\n", " 1 , 2,\t3 \n4,5 ,6\n", "\n\n1,2,3\n \n\r\n4,5,6\n\n",
      "\"1\",\"2\",3\n4, \"5\" ,\"6\"\n", "a,b,c\n1,2,3\n4,5,6\n", "\"a\",\"b \"\"x\"\", y\",c\r\n1,2,3\r\n4,5,6",
      "\xef\xbb\xbf" "1,2,3\n4,5,6\n", "\xef\xbb\xbf" "a,b,c\n1,2,3\n4,5,6\n", "a b c\n1 2 3\n4 5 6\n",
      "a;b, in mm;c\n1;2;3\n4;5;6\n", "1.0,2e0,+3.\n.4e1,50E-1,6.000\n", "\"1\" \"2\" 3\n4 5 \"6\"\n",
      "\"1\"\t2\t3\n4\t 5 \t6\n", ",,c\n1,2,3\n4,5,6\n"};
  for (int i = 0; i < COUNT(texts); i++) {
    mlpl_dataset *ds = read_text(cx, texts[i], i % 2 ? &plain : NULL);
    check_counting(ds, 2, 3);
    assert_null(mlpl_dataset_y(ds));
    assert_int_equal(mlpl_dataset_n_classes(ds), 0);
    mlpl_dataset_release(ds);
  }
  mlpl_dataset *ds = read_text(cx, "1|2|3\n4|5|6\n", &(mlpl_csv_options){.header = -1, .separator = '|'});
  check_counting(ds, 2, 3);
  mlpl_dataset_release(ds);
  ds = read_text(cx, "1\n2\n3", &plain);
  check_counting(ds, 3, 1);
  mlpl_dataset_release(ds);
  test_close(cx);
}

static void reads_names(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds = read_text(cx, "a,\"b \"\"x\"\", y\", c d ,label\n1,2,3,no\n",
      &(mlpl_csv_options){.header = -1, .labels = "label"});
  assert_int_equal(mlpl_dataset_n_names(ds), 3);
  assert_string_equal(mlpl_dataset_name(ds, 0), "a");
  assert_string_equal(mlpl_dataset_name(ds, 1), "b \"x\", y");
  assert_string_equal(mlpl_dataset_name(ds, 2), "c d");
  assert_null(mlpl_dataset_name(ds, 3));
  assert_null(mlpl_dataset_name(ds, -1));
  mlpl_dataset_release(ds);
  ds = read_text(cx, "1,2\n3,4\n", &(mlpl_csv_options){.header = 1}); /* told so */
  assert_int_equal(mlpl_dataset_size(ds), 1);
  assert_string_equal(mlpl_dataset_name(ds, 1), "2");
  mlpl_dataset_release(ds);
  ds = read_text(cx, "1,2\n3,4\n", &plain);
  assert_int_equal(mlpl_dataset_size(ds), 2);
  assert_int_equal(mlpl_dataset_n_names(ds), 0);
  mlpl_dataset_release(ds);
  test_close(cx);
}

static void check_labels(mlpl_ctx *cx, const char *text, const char *column, const char *classes, const char *y) {
  mlpl_dataset *ds = read_text(cx, text, &(mlpl_csv_options){.header = -1, .labels = column});
  char found[200] = "";
  for (int i = 0; i < mlpl_dataset_n_classes(ds); i++) {
    strcat(found, mlpl_dataset_class(ds, i));
    strcat(found, "|");
  }
  assert_string_equal(found, classes);
  assert_int_equal(mlpl_tensor_dtype(mlpl_dataset_y(ds)), MLPL_I64);
  assert_int_equal(mlpl_tensor_ndim(mlpl_dataset_y(ds)), 1);
  found[0] = '\0';
  for (int64_t i = 0; i < mlpl_dataset_size(ds); i++)
    snprintf(found + strlen(found), 8, "%d", (int)test_at1(mlpl_dataset_y(ds), i));
  assert_string_equal(found, y);
  mlpl_dataset_release(ds);
}

static void sorts_classes(void **state) {
  (void)state;
  for (int base = 0; base <= 1; base++) {
    mlpl_ctx *cx = test_open(base);
    const char *last = base ? "3" : "2", *word = base ? "3213" : "2102";
    check_labels(cx, "1,1,b\n1,1,a\n1,1,B\n1,1,b\n", "-1", "B|a|b|", word);
    check_labels(cx, "1,1,10\n1,1,9\n1,1,-1\n1,1,10\n", last, "-1|9|10|", word);
    check_labels(cx, "1,1,1e1\n1,1,9\n1,1,-1\n1,1,10.0\n", last, "-1|9|1e1|", word);
    check_labels(cx, "1,1,10\n1,1,9\n1,1,-1x\n", last, "-1x|10|9|", base ? "231" : "120");
    check_labels(cx, "c,1\n\"b, \"\"2\"\"\",1\na ,2\n", "-2", "a|b, \"2\"|c|", base ? "321" : "210");
    check_labels(cx, "x,species,z\n1,b,2\n1,a,2\n", "species", "a|b|", base ? "21" : "10");
    check_labels(cx, "1,b\n2,a\n", base ? "2" : "1", "a|b|", base ? "21" : "10");
    test_close(cx);
  }
}

static void many_classes(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  char *text = malloc(1000000), *p = text;
  for (int i = 0; i < 20000; i++) p += sprintf(p, "%d,c%05d\n", i, (i * 7919) % 10000);
  mlpl_dataset *ds = read_text(cx, text, &(mlpl_csv_options){.header = -1, .labels = "-1"});
  assert_int_equal(mlpl_dataset_n_classes(ds), 10000);
  assert_string_equal(mlpl_dataset_class(ds, 1234), "c01234");
  for (int64_t i = 0; i < 20000; i++)
    assert_true(test_at1(mlpl_dataset_y(ds), i) == (double)((i * 7919) % 10000 + 1));
  mlpl_dataset_release(ds);
  free(text);
  test_close(cx);
}

static void reads_targets(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  for (int dtype = MLPL_F32; dtype <= MLPL_F64; dtype++) {
    mlpl_dataset *ds = read_text(cx, "a,b,c\n1,.1,2\n3,.2,4\n",
        &(mlpl_csv_options){.header = -1, .target = "b", .dtype = (mlpl_dtype)dtype});
    check_counting(ds, 2, 2);
    mlpl_tensor *y = mlpl_dataset_y(ds);
    assert_int_equal(mlpl_tensor_dtype(y), dtype);
    assert_int_equal(mlpl_tensor_ndim(y), 2);
    assert_int_equal(mlpl_tensor_shape(y)[1], 1);
    assert_true(test_at2(y, 0, 0) == (dtype == MLPL_F64 ? .1 : (double).1f));
    assert_true(test_at2(y, 1, 0) == (dtype == MLPL_F64 ? .2 : (double).2f));
    assert_int_equal(mlpl_dataset_n_names(ds), 2);
    assert_string_equal(mlpl_dataset_name(ds, 1), "c");
    assert_int_equal(mlpl_dataset_n_classes(ds), 0);
    mlpl_dataset_release(ds);
  }
  test_close(cx);
}

/* ---- what is wrong ------------------------------------------------------------------------------- */

static void says_what_is_wrong_where(void **state) {
  (void)state;
  static const struct {
    const char *text, *labels, *error;
    int header;
    mlpl_status status;
  } cases[] = {
      {"", NULL, "t.csv is empty", -1, MLPL_EFORMAT},
      {"\n \r\n\t\n", NULL, "t.csv is empty", -1, MLPL_EFORMAT},
      {"\xef\xbb\xbf", NULL, "t.csv is empty", -1, MLPL_EFORMAT},
      {"a,b\n", NULL, "t.csv has a line of names and no rows", -1, MLPL_EFORMAT},
      {"a,b\n\n\n", NULL, "t.csv has a line of names and no rows", -1, MLPL_EFORMAT},
      {"1,2,3\n4,5\n", NULL, "t.csv: line 2 has 2 columns, expected 3", -1, MLPL_EFORMAT},
      {"1,2,3\n\n4\n", NULL, "t.csv: line 3 has 1 column, expected 3", -1, MLPL_EFORMAT},
      {"a,b,c\n1,2,3\n4,5,6,7,8\n", NULL, "t.csv: line 3 has 5 columns, expected 3", -1, MLPL_EFORMAT},
      {"1,2,a\n4,5\n", "-1", "t.csv: line 2 has 2 columns, expected 3", -1, MLPL_EFORMAT},
      {"1 2 3\n4 5 \n", NULL, "t.csv: line 2 has 2 columns, expected 3", -1, MLPL_EFORMAT},
      {"1,2\n3,4\n5,\n", NULL, "t.csv: line 3, column 1: a number is missing", -1, MLPL_EFORMAT},
      {"x,the y\n1,2\n,4\n", NULL, "t.csv: line 3, column 0 (x): a number is missing", -1, MLPL_EFORMAT},
      {"x,the y\n1,\"\"\n", NULL, "t.csv: line 2, column 1 (the y): a number is missing", -1, MLPL_EFORMAT},
      {"x,the y\n1,2\n3,abc d\n", NULL, "t.csv: line 3, column 1 (the y): 'abc d' is not a number", -1, MLPL_EFORMAT},
      {"1,2\n3,4,\n", NULL, "t.csv: line 2 has 3 columns, expected 2", -1, MLPL_EFORMAT},
      {"1,2\n3,4x\n", NULL, "t.csv: line 2, column 1: '4x' is not a number", -1, MLPL_EFORMAT},
      {"1,2\n3,4 5\n", NULL, "t.csv: line 2, column 1: '4 5' is not a number", -1, MLPL_EFORMAT},
      {"1,2\n3,0x10\n", NULL, "t.csv: line 2, column 1: '0x10' is not a number", -1, MLPL_EFORMAT},
      {"1,2\n3,nan\n", NULL, "t.csv: line 2, column 1: 'nan' is not a finite number; give one, or leave the line out", -1, MLPL_EFORMAT},
      {"1,2\n3,?\n", NULL, "t.csv: line 2, column 1: '?' is not a finite number; give one, or leave the line out", -1, MLPL_EFORMAT},
      {"1,2\n3,1e39\n", NULL, "t.csv: line 2, column 1: '1e39' is too large for the dtype", -1, MLPL_EFORMAT},
      {"1,2\n3,-1e999\n", NULL, "t.csv: line 2, column 1: '-1e999' is too large for the dtype", -1, MLPL_EFORMAT},
      {"1,2\n3,a23456789012345678901234567890123456789\n", NULL,
          "'a2345678901234567890123456789012...' is not a number", -1, MLPL_EFORMAT},
      {"1,2\n\"3,4\n", NULL, "t.csv: line 2: a quote is not closed", -1, MLPL_EFORMAT},
      {"1,2\n3,\"4\"\"\n", NULL, "t.csv: line 2: a quote is not closed", -1, MLPL_EFORMAT},
      {"\"1,2\n", NULL, "t.csv: line 1: a quote is not closed", -1, MLPL_EFORMAT},
      {"1,2\n\"3\"4,5\n", NULL, "t.csv: line 2: text follows a closing quote", -1, MLPL_EFORMAT},
      {"1 2\n\"3\"4 5\n", NULL, "t.csv: line 2: text follows a closing quote", -1, MLPL_EFORMAT},
      {"id,2019\n1,2\n", NULL,
          "t.csv: line 1, column 0: 'id' is not a number (if this line holds names, say so with the option header)", -1,
          MLPL_EFORMAT},
      {"a,b\n1,2\n", NULL, "t.csv: line 1, column 0: 'a' is not a number", 0, MLPL_EFORMAT},
      {"1,2,a\n3,4,\n", "-1", "t.csv: line 2, column 2: the label is missing", -1, MLPL_EFORMAT},
      {"u,v,w\n3,4,\"\"\n", "w", "t.csv: line 2, column 2 (w): the label is missing", -1, MLPL_EFORMAT},
      {"a\nb\n", "0", "t.csv: line 1 has one column, and nothing is left for x", -1, MLPL_EFORMAT},
      {"1,2\n", "2", "t.csv: there is no column '2'; columns are numbered 0 to 1", -1, MLPL_EARG},
      {"1,2\n", "-3", "t.csv: there is no column '-3'; columns are numbered 0 to 1", -1, MLPL_EARG},
      {"1,2\n", "99999999999999999999", "there is no column '9999999", -1, MLPL_EARG},
      {"a,b\n1,2\n", "c", "t.csv: there is no column 'c'; columns are numbered 0 to 1, or named a, b", -1, MLPL_EARG},
      {"a,b\n1,2\n", "-", "t.csv: there is no column '-'", -1, MLPL_EARG},
      {"a,b\n1,2\n", "", "t.csv: there is no column ''", -1, MLPL_EARG},
      {"1,2\n", "c", "t.csv: there is no column 'c'; columns are numbered 0 to 1", 0, MLPL_EARG},
  };
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds;
  for (int i = 0; i < COUNT(cases); i++) {
    const mlpl_csv_options o = {.header = cases[i].header, .labels = cases[i].labels};
    assert_fails(cx, mlpl_csv_read(cx, &ds, test_write_text("t.csv", cases[i].text), &o), cases[i].status,
        cases[i].error);
    assert_null(ds);
  }
  assert_fails(cx, mlpl_csv_read(cx, &ds, test_write("t.csv", "1,2\n3,\0\n", 8), &plain), MLPL_EFORMAT,
      "t.csv: line 2 holds a NUL byte; is this a text file?");
  assert_fails(cx, mlpl_csv_read(cx, &ds, test_path("none.csv"), &plain), MLPL_EIO,
      "none.csv: No such file or directory");
  test_close(cx);
  cx = test_open(1); /* columns count from the base, as in the options */
  assert_fails(cx, mlpl_csv_read(cx, &ds, test_write_text("t.csv", "1,2\n3,x\n"), &plain), MLPL_EFORMAT,
      "line 2, column 2: 'x' is not a number");
  test_close(cx);
}

static void checks_options(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds;
  const char *path = test_write_text("t.csv", "1,2\n");
  assert_fails(cx, mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.labels = "0", .target = "1"}), MLPL_EARG,
      "csv: labels '0' and target '1': give one of them");
  assert_fails(cx, mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.separator = '.'}), MLPL_EARG,
      "csv: '.' cannot separate columns");
  assert_fails(cx, mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.header = 2}), MLPL_EARG, "csv: header 2");
  assert_fails(cx, mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.dtype = MLPL_I64}), MLPL_EARG,
      "csv: dtype must be f32 or f64");
  test_close(cx);
}

/* ---- large, compressed, in other countries ----------------------------------------------------------- */

/* Lines meet the reader's buffer at every offset. */
static void reads_through_its_buffer(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const int64_t rows = 60000;
  char *text = malloc(4000000), *p = text;
  uint64_t seed = 3;
  double *value = malloc((size_t)rows * 3 * sizeof *value);
  for (int64_t i = 0; i < 3 * rows; i++)
    p += sprintf(p, "%.*g%c", i % 3 == 2 ? 17 : 15, test_between(&seed, -1e9, 1e9), i % 3 < 2 ? ',' : '\n');
  char *q = text;
  for (int64_t i = 0; i < 3 * rows; i++) value[i] = strtod(q, &q), q++;
  for (int gzip = 0; gzip <= 1; gzip++) {
    const size_t n = (size_t)(p - text);
    const char *path = gzip ? test_write_gzip("big.csv.gz", text, n) : test_write("big.csv", text, n);
    mlpl_dataset *ds;
    assert_works(cx, mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.header = -1, .dtype = MLPL_F64}));
    assert_int_equal(mlpl_dataset_size(ds), rows);
    assert_memory_equal(mlpl_tensor_data(mlpl_dataset_x(ds)), value, (size_t)rows * 3 * sizeof *value);
    mlpl_dataset_release(ds);
  }
  free(text);
  free(value);
  test_close(cx);
}

static void long_lines(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(0);
  const size_t columns = 500000;
  char *text = malloc(18 << 20);
  for (size_t i = 0; i < columns; i++) memcpy(text + 4 * i, i + 1 < columns ? "1.5," : "1.5\n", 4);
  mlpl_dataset *ds;
  assert_works(cx, mlpl_csv_read(cx, &ds, test_write("wide.csv", text, 4 * columns), &plain));
  assert_int_equal(mlpl_tensor_shape(mlpl_dataset_x(ds))[1], columns);
  mlpl_dataset_release(ds);
  for (size_t i = 0; i < columns; i++) memcpy(text + 4 * i, i + 1 < columns ? "abc," : "abc\n", 4);
  memset(text + 4 * columns, '\n', 4);
  assert_fails(cx, mlpl_csv_read(cx, &ds, test_write("wide.csv", text, 4 * columns), &plain), MLPL_EFORMAT,
      "no rows");
  memset(text, '1', 18 << 20);
  assert_fails(cx, mlpl_csv_read(cx, &ds, test_write("endless.csv", text, 18 << 20), &plain), MLPL_EFORMAT,
      "endless.csv: line 1 is longer than 16 MB");
  free(text);
  test_close(cx);
}

/* A locale with a decimal comma: the system's, or one made for this test. */
static bool enter_germany(void) {
  if (setlocale(LC_ALL, "de_DE.UTF-8")) return true;
  char command[1200];
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s 2>&1", test_path("locales"),
      test_path("localedef.log"));
  if (mkdir(test_path("locales"), 0777) != 0 || system(command) != 0) return false;
  setenv("LOCPATH", test_path("locales"), 1);
  return setlocale(LC_ALL, "de_DE.UTF-8");
}

static void locale_does_not_matter(void **state) {
  (void)state;
  if (!enter_germany()) {
    print_message("skipped: the locale de_DE is not installed\n");
    skip();
  }
  assert_true(strtod("1,5", NULL) == 1.5);
  mlpl_ctx *cx = test_open(0);
  mlpl_dataset *ds = read_text(cx, "1.5,2.71828182845904523536\n", &(mlpl_csv_options){.header = -1, .dtype = MLPL_F64});
  assert_true(test_at2(mlpl_dataset_x(ds), 0, 0) == 1.5);
  assert_true(test_at2(mlpl_dataset_x(ds), 0, 1) == 0x1.5bf0a8b145769p+1);
  mlpl_dataset_release(ds);
  setlocale(LC_ALL, "C");
  test_close(cx);
}

static mlpl_status read_task(mlpl_ctx *cx, void *path) {
  mlpl_dataset *ds;
  mlpl_status status = mlpl_csv_read(cx, &ds, path, &(mlpl_csv_options){.header = -1, .labels = "class"});
  mlpl_dataset_release(ds);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  char path[1024], *text = malloc(20000), *p = text;
  p += sprintf(p, "a,\"b\",c,class\n");
  for (int i = 0; i < 500; i++) p += sprintf(p, "%d,%g,\"%d\",c%d\n", i, i * .5, i, i % 70);
  snprintf(path, sizeof path, "%s", test_write_gzip("task.csv.gz", text, (size_t)(p - text)));
  test_every_failure(read_task, path);
  free(text);
}

/* Bytes of all kinds: an error or a table, no crash. */
static void random_files_do_no_harm(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  static const char alphabet[] = "0123456789.,;\t \n\r\"e+-abx";
  uint64_t seed = 77;
  for (int i = 0; i < 3000; i++) {
    char text[200];
    size_t n = test_random(&seed) % sizeof text;
    for (size_t k = 0; k < n; k++) text[k] = alphabet[test_random(&seed) % (sizeof alphabet - (i % 4 > 0))];
    mlpl_dataset *ds;
    const mlpl_csv_options o = {.header = i % 3 - 1, .labels = i % 2 ? "-1" : NULL};
    mlpl_status status = mlpl_csv_read(cx, &ds, test_write("random.csv", text, n), &o);
    assert_true(status == MLPL_OK || status == MLPL_EFORMAT || status == MLPL_EARG);
    assert_true((status == MLPL_OK) == (ds != NULL));
    mlpl_dataset_release(ds);
  }
  test_close(cx);
}

/* ---- real sets ------------------------------------------------------------------------------------------ */

static mlpl_dataset *read_real(mlpl_ctx *cx, const char *name, const mlpl_csv_options *o) {
  const char *path = test_data(name);
  if (!path) return NULL;
  mlpl_dataset *ds;
  assert_works(cx, mlpl_csv_read(cx, &ds, path, o));
  return ds;
}

static void count_classes(mlpl_dataset *ds, int base, int n, const int *wanted) {
  assert_int_equal(mlpl_dataset_n_classes(ds), n);
  int found[16] = {0};
  for (int64_t i = 0; i < mlpl_dataset_size(ds); i++) found[(int)test_at1(mlpl_dataset_y(ds), i) - base]++;
  for (int i = 0; i < n; i++) assert_int_equal(found[i], wanted[i]);
}

static void reads_real_sets(void **state) {
  (void)state;
  mlpl_ctx *cx = test_open(1);
  const mlpl_csv_options last = {.header = -1, .labels = "-1"}, target = {.header = -1, .target = "-1"};
  mlpl_dataset *iris = read_real(cx, "iris/iris.data", &last), *wine = read_real(cx, "wine/wine.csv", &last);
  mlpl_dataset *quality = read_real(cx, "misc/winequality-red.csv", &target);
  mlpl_dataset *digits = read_real(cx, "optdigits/optdigits.tra", &last);
  bool all = iris && wine && quality && digits;
  if (iris) {
    assert_int_equal(mlpl_dataset_size(iris), 150);
    assert_string_equal(mlpl_dataset_class(iris, 1), "Iris-versicolor");
    count_classes(iris, 1, 3, (int[]){50, 50, 50});
    assert_true(test_at2(mlpl_dataset_x(iris), 149, 3) == (double)1.8f);
  }
  if (wine) {
    assert_int_equal(mlpl_dataset_size(wine), 178);
    assert_int_equal(mlpl_tensor_shape(mlpl_dataset_x(wine))[1], 13);
    count_classes(wine, 1, 3, (int[]){59, 71, 48});
  }
  if (quality) {
    assert_int_equal(mlpl_dataset_size(quality), 1599);
    assert_int_equal(mlpl_tensor_shape(mlpl_dataset_x(quality))[1], 11);
    assert_true(test_at2(mlpl_dataset_y(quality), 0, 0) == 5);
  }
  if (digits) {
    assert_int_equal(mlpl_dataset_size(digits), 3823);
    count_classes(digits, 1, 10, (int[]){376, 389, 380, 389, 387, 376, 377, 387, 380, 382});
  }
  mlpl_dataset_release(iris);
  mlpl_dataset_release(wine);
  mlpl_dataset_release(quality);
  mlpl_dataset_release(digits);
  test_close(cx);
  if (!all) skip();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(understands_all_spellings),
      cmocka_unit_test(reads_names),
      cmocka_unit_test(sorts_classes),
      cmocka_unit_test(many_classes),
      cmocka_unit_test(reads_targets),
      cmocka_unit_test(says_what_is_wrong_where),
      cmocka_unit_test(checks_options),
      cmocka_unit_test(reads_through_its_buffer),
      cmocka_unit_test(long_lines),
      cmocka_unit_test(locale_does_not_matter),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(random_files_do_no_harm),
      cmocka_unit_test(reads_real_sets),
  };
  return cmocka_run_group_tests_name("csv", tests, test_folder_make, test_folder_remove);
}
