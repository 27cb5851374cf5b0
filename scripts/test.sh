#!/bin/sh
# Usage: sh scripts/test.sh [--sanitize | --tsan]
#
# Installs what is missing, builds, runs every test, and ends with the line
# "N passed, N failed, N skipped". Fails when a test failed or a suite ran none.
#   --sanitize   everything built with AddressSanitizer and UBSan, every test
#   --tsan       built with ThreadSanitizer; the thread pool's tests and the hosts without Lua
set -eu
cd "$(dirname "$0")/.."

build=build/release
sanitize=
case ${1-} in
  '') ;;
  --sanitize) sanitize=address,undefined build=build/sanitize-address-undefined/release ;;
  --tsan) sanitize=thread build=build/sanitize-thread/release ;;
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' scripts/test.sh; exit 0 ;;
  *) echo "test.sh: unknown option '$1'; --help tells what there is" >&2; exit 2 ;;
esac
[ $# -le 1 ] || { echo 'test.sh: takes one option at most' >&2; exit 2; }

sh scripts/setup.sh --tests
sh scripts/build.sh release --tests ${sanitize:+--sanitize=$sanitize}

# Tests find the products and know how they were built.
export MLPL_BUILD=$build MLPL_SANITIZE=$sanitize
# Tests ask for more memory than there is; a sanitizer must then answer as malloc does.
export ASAN_OPTIONS=allocator_may_return_null=1 TSAN_OPTIONS=allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
export CMOCKA_MESSAGE_OUTPUT=TAP

# Reads one program's output, in TAP. A plan that was not kept and an exit status that no
# "not ok" explains are failures: the program crashed. (cmocka prints skipped tests as
# "not ok N # SKIP name", and one plan for each group of tests.) Shows what tests counted.
tap='
  /^1\.\.[0-9]+/ { planned += substr($1, 4) }
  /[0-9] (cases|calls)/ && !/^(not )?ok/ { line = $0; sub(/^# /, "", line); print "  " line }
  /^# / { comment = substr($0, 3); next }
  /^(not )?ok[ \t]/ {
    ran++
    if (match($0, /# SKIP/)) {
      skipped++
      print "  skipped:" substr($0, RSTART + 6) (/^not/ && comment != "" ? " (" comment ")" : "")
    } else if (/^ok/) passed++
    else failed++
  }
  { comment = "" }
  END {
    if (status == 124) wrong = "took too long"
    else if (status != 0 && !failed) wrong = "ended with exit status " status
    else if (ran != planned) wrong = "planned " planned + 0 " tests and ran " ran + 0
    else if (!ran) wrong = "ran no test"
    if (wrong) { failed++; print "  " wrong }
    printf "%d %d %d\n", passed, failed, skipped >counts
  }'

logs=$build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# run NAME COMMAND...: one program full of tests.
run() {
  name=$1
  shift
  log=$logs/$(echo "$name" | tr / _)
  status=0
  timeout 1800 "$@" >"$log" 2>&1 </dev/null || status=$?
  notes=$(awk -v status=$status -v counts="$log.counts" "$tap" "$log")
  read -r p f s <"$log.counts"
  echo "$name: $p passed, $f failed, $s skipped"
  if [ "$f" != 0 ]; then sed -n '/^ok[[:space:]]/!s/^/  | /p' "$log"; fi
  if [ "$notes" ]; then echo "$notes"; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# suite NAME: what ran since the last call was that suite.
ran_before=0
suite() {
  ran=$((passed + failed))
  if [ $ran = $ran_before ]; then
    echo "$1: the suite ran no test"
    failed=$((failed + 1)) ran=$((ran + 1))
  fi
  ran_before=$ran
}

# programs FOLDER PREFIX SOURCE...: those built from the sources, in build/.../tests.
programs() {
  folder=$1 prefix=$2
  shift 2
  for source; do
    name=$(basename "$source" .c)
    [ ! -f "$source" ] || [ "$source" = tests/c/support.c ] ||
      run "$folder/$name" "$build/tests/$prefix$name"
  done
  suite "$folder"
}

if [ "$sanitize" = thread ]; then
  for source in tests/c/*pool*.c tests/host/*.c; do
    name=$(basename "$source" .c)
    case $source in
      *'*'* | */lua_*) ;;
      tests/c/*) run "tests/c/$name" "$build/tests/$name" ;;
      *) run "tests/host/$name" "$build/tests/host_$name" ;;
    esac
  done
  suite tests/threads
else
  programs tests/c '' tests/c/*.c
  programs tests/host host_ tests/host/*.c
  run tests/lua "$build/mlpl" tests/lua/run.lua tests/lua/test_*.lua
  suite tests/lua
  for check in tests/check_*.sh; do run "${check%.sh}" sh "$check"; done
  suite tests/check
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
