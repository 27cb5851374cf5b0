#!/bin/sh
# Installs into temporary folders and uses what is there as other people would. TAP.
set -u
cd "$(dirname "$0")/.."
n=0 failed=0

# check NAME COMMAND...: passes when the command succeeds.
check() {
  n=$((n + 1))
  name=$1
  shift
  if said=$("$@" 2>&1); then echo "ok $n - $name"; return; fi
  failed=1
  echo "not ok $n - $name"
  echo "$said" | sed 's/^/#   /'
}

if [ "${MLPL_SANITIZE-}" ]; then
  echo "ok 1 - # SKIP installing: this build is made with -fsanitize=$MLPL_SANITIZE"
  echo 1..1
  exit
fi

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
prefix=$here/prefix
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"

cat >"$here/engine.c" <<'END'
#include <mlpl.h>
int main(void) {
  mlpl_ctx *cx = NULL;
  if (mlpl_open(&cx, NULL) != MLPL_OK) return 1;
  mlpl_close(cx);
  return 0;
}
END
cat >"$here/lua.c" <<'END'
#include <mlpl_lua.h>
#include <lauxlib.h>
#include <lualib.h>
int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "mlpl", luaopen_mlpl, 0);
  int failed = luaL_dostring(L, "assert(require('mlpl').zeros(2, 3):numel() == 6)");
  lua_close(L);
  return failed;
}
END

compile() { # SOURCE PACKAGES FLAGS...: with what pkg-config says, and runs it
  source=$here/$1.c packages=$2
  shift 2
  # shellcheck disable=SC2046,SC2086
  cc -o "$here/program" "$source" $(pkg-config --cflags $packages) "$@" || return
  "$here/program"
}
shared() { LD_LIBRARY_PATH=$prefix/lib compile "$1" "$2" $(pkg-config --libs $2); }
static() { # the shared libraries out of the way, as in a build that has none
  mkdir -p "$here/static" && cp "$prefix"/lib/*.a "$here/static"
  compile "$1" "$2" $(pkg-config --static --libs $2 | sed "s|-L$prefix/lib|-L$here/static|g")
}

check 'installs below a prefix' sh scripts/install.sh "$prefix"
check 'a program links libmlpl.so' shared engine mlpl
check 'a program links libmlpl.a' static engine mlpl
check 'a host with Lua links libmlpl.so' shared lua 'mlpl-lua lua5.4'
check 'a host with Lua links libmlpl.a' static lua 'mlpl-lua lua5.4'
check 'libmlpl.a needs -lz -lm -lpthread and no more' \
  cc -o "$here/program" "$here/engine.c" -I"$prefix/include" "$prefix/lib/libmlpl.a" -lz -lm -lpthread
check 'the command runs' "$prefix/bin/mlpl" -e 'assert(require "mlpl")'
check 'a stock Lua finds the module' env LUA_CPATH="$prefix/lib/lua/5.4/?.so" \
  lua5.4 -e 'assert(require "mlpl")'

staged() {
  DESTDIR=$here/stage sh scripts/install.sh /opt/mlpl &&
    [ -x "$here/stage/opt/mlpl/bin/mlpl" ] && [ ! -e /opt/mlpl ] &&
    grep -qx 'prefix=/opt/mlpl' "$here/stage/opt/mlpl/lib/pkgconfig/mlpl.pc"
}
check 'DESTDIR goes before every path but is written nowhere' staged

refuses() { sh "$@" >"$here/said" 2>&1; status=$?; cat "$here/said"; [ $status = 2 ]; }
for script in setup build test install; do
  check "$script.sh refuses an unknown option" refuses scripts/$script.sh --frobnicate
done

echo "1..$n"
exit $failed
