#!/bin/sh
# Usage: sh scripts/build.sh [release|debug] [options]
#
# Builds into build/release (the default) or build/debug. Options, which go to premake5.lua:
#   --tests           also the tests, the benchmarks and the embedding examples
#   --sanitize=LIST   address,undefined or thread; everything into build/sanitize-LIST
#   --blis=DIR        where blis.h and libblis.a are, if not in Debian's place
# Says nothing but warnings and errors; what make said is in build/make.log.
set -eu
cd "$(dirname "$0")/.."

config=release
case ${1-} in
  release | debug) config=$1; shift ;;
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' scripts/build.sh; exit 0 ;;
  '' | --*) ;;
  *) echo "build.sh: the configuration is release or debug, not '$1'" >&2; exit 2 ;;
esac

root=build
for option; do
  case $option in
    --sanitize=*) root=build/sanitize-$(echo "${option#*=}" | tr , -) ;;
    --tests | --blis=*) ;;
    *) echo "build.sh: unknown option '$option'; --help tells what there is" >&2; exit 2 ;;
  esac
done

if command -v premake5 >/dev/null; then
  premake=premake5
elif command -v premake4 >/dev/null; then
  premake='premake4 --file=premake5.lua'
else
  echo 'build.sh: there is neither premake5 nor premake4; "sh scripts/setup.sh" installs it' >&2
  exit 1
fi

# Objects do not depend on their makefile, and archives keep members whose source is gone:
# a project whose makefile changed starts afresh.
last=$root/obj/makefiles
mkdir -p "$last"
log=$root/make.log
if command -v flock >/dev/null; then
  exec 9>"$root/lock"
  flock 9                       # a second build waits for the first
fi
$premake "$@" gmake >"$log" || { cat "$log" >&2; exit 1; }
for makefile in "$root"/*.make; do
  name=$(basename "$makefile")
  if [ -f "$last/$name" ] && ! cmp -s "$makefile" "$last/$name"; then
    for each in release debug; do
      make -s -C "$root" -f "$name" config=$each clean >>"$log"
    done
  fi
  cp "$makefile" "$last/$name"
done

make -C "$root" -j"$(nproc)" config="$config" >>"$log" || {
  echo "build.sh: the build failed; all of its output is in $log" >&2
  exit 1
}
