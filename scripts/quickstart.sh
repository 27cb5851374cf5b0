#!/bin/sh
# Usage: sh scripts/quickstart.sh
#
# Installs what is missing (scripts/setup.sh), builds, and trains on handwritten digits.
set -eu
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then
  echo 'usage: sh scripts/quickstart.sh: installs what is missing, builds, trains on handwritten digits'
  [ "$1" = --help ] && exit 0 || exit 2
fi
sh scripts/setup.sh
echo 'building (about a minute the first time)'
sh scripts/build.sh release
exec build/release/mlpl examples/digits.lua
