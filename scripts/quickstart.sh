#!/bin/sh
# Usage: sh scripts/quickstart.sh
#
# Installs what is missing (scripts/setup.sh), builds, and trains on handwritten digits.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
sh scripts/build.sh release
exec build/release/mlpl examples/digits.lua
