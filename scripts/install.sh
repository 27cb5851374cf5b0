#!/bin/sh
# Usage: sh scripts/install.sh [prefix]
#
# Installs what build/release holds (and builds it, if nothing is there) below the prefix,
# /usr/local if none is given: the command, headers, libraries, the module for a stock Lua,
# and what pkg-config reads. DESTDIR, if set, is put before every path, for packagers.
set -eu

case ${1-} in
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  '' | /*) prefix=${1:-/usr/local} ;;
  -*) echo "install.sh: unknown option '$1'; it takes a prefix" >&2; exit 2 ;;
  *) prefix=$PWD/$1 ;;
esac
[ $# -le 1 ] || { echo 'install.sh: takes one prefix at most' >&2; exit 2; }
cd "$(dirname "$0")/.."

build=build/release
to=${DESTDIR-}$prefix
[ -x $build/mlpl ] || sh scripts/build.sh release
version=$(sed -n 's/^#define MLPL_VERSION "\(.*\)"/\1/p' engine/mlpl.h)
major=${version%%.*}

mkdir -p "$to/bin" "$to/include" "$to/lib/pkgconfig" "$to/lib/lua/5.4"
install -s -m 755 $build/mlpl "$to/bin"
mkdir -p "$to/share/doc/mlpl"
install -m 644 LICENSE "$to/share/doc/mlpl"
install -m 644 engine/mlpl.h bindings/mlpl_lua.h "$to/include"
install -m 644 $build/libmlpl.a $build/libmlpl_lua.a "$to/lib"
install -m 644 $build/libmlpl.so "$to/lib/libmlpl.so.$version"
ln -sf "libmlpl.so.$version" "$to/lib/libmlpl.so.$major"
ln -sf "libmlpl.so.$major" "$to/lib/libmlpl.so"
install -m 644 $build/mlpl.so "$to/lib/lua/5.4"

cat >"$to/lib/pkgconfig/mlpl.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: mlpl
Description: Neural-network engine for embedding
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lmlpl
Libs.private: -lz -lm -lpthread
END

# Lua is not required here: a host may have its own, and two in one program would not do.
cat >"$to/lib/pkgconfig/mlpl-lua.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: mlpl-lua
Description: Lua 5.4 binding of mlpl, for hosts that have a lua_State
Version: $version
Requires: mlpl = $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lmlpl_lua -lm
END

echo "install.sh: mlpl $version is in $to"
# Programs find a new library at once, where that is the system's way and we may.
if [ -z "${DESTDIR-}" ] && [ "$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi
