#!/bin/sh
# Checks what no compiler checks: which files there are, who includes whom (the table in the
# house style), and what the products show to the linker. TAP, like every test.
# MLPL_BUILD is where the products are; a sanitizer changes them, so then they are skipped.
set -u
cd "$(dirname "$0")/.."
build=${MLPL_BUILD:-build/release}
n=0 failed=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# none NAME OFFENDERS: passes when there are no offenders.
none() {
  n=$((n + 1))
  if [ -z "$2" ]; then echo "ok $n - $1"; return; fi
  failed=1
  echo "not ok $n - $1"
  echo "$2" | sed 's/^/#   /'
}
skip() { n=$((n + 1)); echo "ok $n - # SKIP $1: $2"; }

# ---- files ---------------------------------------------------------------------------------

none 'the top level holds what it should' "$(
  { git ls-files 2>/dev/null || ls; } | cut -d/ -f1 | sort -u | grep -v '^\.' | grep -vxE 'engine|bindings|scripts|tests|examples|premake5\.lua|README\.md|LICENSE|build'
  for name in engine bindings scripts tests examples premake5.lua README.md LICENSE; do
    [ -e $name ] || echo "missing: $name"
  done)"

# ---- who includes whom ---------------------------------------------------------------------

# includes PATH...: "file name" for every #include, the name with its quotes or brackets.
includes() {
  find "$@" -name '*.[ch]' -exec awk '
    /^[ \t]*#[ \t]*include/ { sub(/^[ \t]*#[ \t]*include[ \t]*/, ""); print FILENAME, $1 }' {} +
}
ours='"[^"]*"'

none 'no engine source knows Lua' "$(includes engine tests/c | grep -E '[<"/](lua|lauxlib|lualib)')"
none 'one file includes blis.h' "$(includes engine bindings scripts tests examples |
  grep -E '[<"/](blis|cblas)\.h' | grep -v '^engine/kern/blis\.c ')"
none 'engine headers are named from engine/' "$(includes engine |
  grep -E " $ours" | grep -vE ' "(mlpl\.h|[a-z]+/[a-z0-9_/]+\.h)"')"
none 'kern includes kern' "$(includes engine/kern | grep -E " $ours" | grep -vE ' "kern/.*"')"
none 'kern neither allocates nor does input and output' "$(includes engine/kern |
  grep -E ' <(stdio|pthread|unistd)\.h>'; grep -nE '\b(malloc|calloc|realloc|free) *\(' -r engine/kern)"
none 'base includes base and the interface of kern' "$(includes engine/base |
  grep -E " $ours" | grep -vE ' "(mlpl\.h|base/.*|kern/kern\.h)"')"

# Sources, not headers, reach up to the recorded graph: operations have their backward functions
# beside them, and a tensor lets go of the graph it hangs on, or stays in it when it is overwritten.
upwards='^engine/(ops|tensor)/[a-z_]+\.c "grad/grad\.h"$'
before='mlpl\.h|base/.*'
for folder in tensor ops grad nn optim data io; do
  before="$before|$folder/.*"
  [ -d engine/$folder ] || continue
  allowed=$before
  case $folder in ops | nn | optim) allowed="$before|kern/kern\.h" ;; esac
  none "$folder includes what comes before it" "$(includes engine/$folder |
    grep -E " $ours" | grep -vE " \"($allowed)\"" | grep -vE "$upwards")"
  case $folder in data | io) continue ;; esac
  none "$folder does no input and output" "$(
    grep -nwE 'FILE|fopen|fdopen|fread|fwrite|fputs|fflush|std(in|out|err)' -r engine/$folder)"
done

none 'bindings include mlpl.h, Lua and themselves' "$(includes bindings | grep -E " $ours" |
  while read -r file name; do
    name=$(echo "$name" | tr -d '"')
    case $name in mlpl.h | lua.h | lauxlib.h | lualib.h) continue ;; esac
    [ -f "bindings/$name" ] || echo "$file $name"
  done)"

# Compiled Lua tells globals from fields: they are fields of _ENV.
none 'scripts and examples set no globals and use no debug library' "$(
  command -v luac5.4 >/dev/null || echo 'luac5.4 is not here'
  find scripts examples -name '*.lua' | while read -r file; do
    luac5.4 -p -l -- "$file" 2>&1 | sed -nE "s|.*SETTABUP.*_ENV |$file sets |p
      s|.*GETTABUP.*_ENV (\"debug\")|$file uses \1|p; s|^luac.*|&|p"
  done)"

# ---- what the products show ----------------------------------------------------------------

if [ "${MLPL_SANITIZE-}" ]; then
  for check in existence symbols calls globals size; do
    skip "$check of the products" "this build is made with -fsanitize=$MLPL_SANITIZE"
  done
else
  libs="$build/libmlpl.a $build/libmlpl_lua.a"

  none 'the build made every product' "$(
    for name in mlpl libmlpl.a libmlpl.so libmlpl_lua.a mlpl.so; do
      [ -f "$build/$name" ] || echo "missing: $build/$name"
    done)"
  none 'archives export names with mlpl' "$(nm -g --defined-only $libs |
    awk 'NF == 3 && $3 !~ /^(mlpl|luaopen_mlpl$)/')"
  none 'libmlpl.so exports names with mlpl' "$(nm -D --defined-only $build/libmlpl.so |
    awk '$3 !~ /^mlpl/')"
  none 'libmlpl.so exports no more than mlpl.h declares' "$(nm -D --defined-only $build/libmlpl.so |
    while read -r _ _ name; do grep -q "\b$name\b" engine/mlpl.h || echo "$name"; done)"
  none 'mlpl.so exports luaopen_mlpl alone' "$(nm -D --defined-only $build/mlpl.so |
    awk '$3 != "luaopen_mlpl"')"
  none 'the libraries neither end the process nor print' "$(nm -uA $libs | grep -wE \
    '(_*(exit|_Exit|quick_exit|abort|assert_fail)|_*v?[fd]?printf(_chk)?|_?puts|putchar|perror|std(out|err|in))')"
  none 'the libraries have no writable globals' "$(for lib in $libs; do
    objdump -t "$lib" | awk -F '\t' -v lib="$lib" '   # "address flags section<tab>size name"
      { section = $1; sub(/.* /, "", section); split($2, rest, " "); name = $2; sub(/.* /, "", name) }
      section == "*COM*" || section ~ /^\.(t?data|t?bss)/ && section !~ /^\.data\.rel\.ro/ &&
        rest[1] !~ /^0+$/ { print lib, name }'
  done)"
  none 'the command needs no more than libc and zlib' "$(readelf -d $build/mlpl |
    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^lib(c|m|z|dl|pthread)\.so|^ld-linux')"
  strip -o "$copy/stripped" $build/mlpl
  bytes=$(wc -c <"$copy/stripped")
  none 'the stripped command is under 2.8 MB' "$([ "$bytes" -lt 2800000 ] || echo "$bytes bytes")"
fi

# ---- the build description -----------------------------------------------------------------

# In a copy, so that the build we were called from is left alone.
cp -r premake5.lua engine bindings scripts tests examples "$copy"
generate() { (cd "$copy" && premake4 --file=premake5.lua "$@" gmake 2>&1); }

if command -v premake4 >/dev/null; then
  none 'premake4 reads premake5.lua' "$(
    said=$(generate --tests) || echo "$said"
    [ -f "$copy/build/Makefile" ] || echo 'no makefile came out'
    echo "$said" | grep -i warning)"

  # A BLIS that is none: the build asks its library for the version.
  mkdir "$copy/blis"
  touch "$copy/blis/blis.h"
  for version in 0.8.1 0.9.0 1.0 1.1 2.0 10.1; do
    echo "$version" >"$copy/bli_info.o"
    (cd "$copy" && rm -f blis/libblis.a && ar rcS blis/libblis.a bli_info.o)
    said=$(generate --blis=blis) && status=0 || status=$?
    case $version in
      0.9* | 1.*) none "BLIS $version is taken" "$([ $status = 0 ] || echo "$said")" ;;
      *) none "BLIS $version stops the build with a sentence" "$(
        [ $status != 0 ] || echo 'it did not stop'
        echo "$said" | grep -q "mlpl: BLIS $version is not known to work" || echo "$said")" ;;
    esac
  done
else
  skip 'premake4 reads premake5.lua' 'premake4 is not here'
fi

echo "1..$n"
exit $failed
