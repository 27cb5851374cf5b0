#!/bin/sh
# Usage: sh scripts/setup.sh [--tests]
#
# Installs, with apt-get, the Debian packages that building mlpl needs and that are not here
# yet; with --tests also those that its tests need. As root, or through sudo.
set -eu

# A package is here when the file or command that we want of it is.
needs='
  gcc                 gcc
  make                make
  libc6-dev           /usr/include/stdio.h
  zlib1g-dev          /usr/include/zlib.h
  liblua5.4-dev       /usr/include/lua5.4/lua.h
  libblis-serial-dev  /usr/lib/*/blis-serial/libblis.a'
premake_need='
  premake4            premake4'
tests_need='
  libcmocka-dev       /usr/include/cmocka.h
  lua-unit            /usr/share/lua/5.4/luaunit.lua
  lua5.4              lua5.4
  pkgconf             pkg-config
  premake4            premake4'

case ${1-} in
  '') ;;
  --tests) needs=$needs$tests_need ;;
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "setup.sh: unknown option '$1'; it takes --tests" >&2; exit 2 ;;
esac
command -v premake5 >/dev/null || needs=$needs$premake_need

is_here() {
  case $1 in
    /*) for file in $1; do [ -e "$file" ] && return; done; return 1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing=$(echo "$needs" | while read -r package thing; do
  [ -z "$package" ] || is_here "$thing" || echo " $package"
done | sort -u | tr -d '\n')
[ "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup.sh: missing here:$missing (these are Debian's names)." \
    "There is no apt-get; please install them in this system's own way." >&2
  exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: missing here:$missing. Installing them needs root or sudo." >&2
    exit 1
  }
  sudo=sudo
fi

echo "setup.sh: installing with apt-get:$missing"
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null 2>&1; }
install() { apt install -y --no-install-recommends $missing; }

# The lists of packages are fetched only if the ones that are here do not do.
said=$(install) || said=$(apt update; install) || {
  echo "$said" >&2
  echo "setup.sh: apt-get could not install:$missing" >&2
  exit 1
}
