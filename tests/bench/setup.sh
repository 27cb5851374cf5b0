#!/bin/sh
# Installs those that the ladder compares mlpl with. Nothing in mlpl needs them.
#
# sh tests/bench/setup.sh [--with-debian-torch]
#
#   by pip: PyTorch, JAX and scikit-learn in a virtual environment outside the repository,
#     $MLPL_PEERS, or mlpl/peers in $XDG_CACHE_HOME or ~/.cache; delete it to undo this
#   with apt-get, where it is: libfann-dev (FANN), g++ (torch.compile needs it),
#     libblis4-serial (BLIS's own product, for the peak) and, if asked for, python3-torch:
#     Debian's CPU PyTorch, which S1 and M1 are measured against (large)
#
# PYTHON names the interpreter for the environment (default python3). pip takes its
# settings, an index of CPU-only wheels for instance, from its own environment variables.
set -eu
case ${1-} in
  '') packages='libfann-dev g++ libblis4-serial' ;;
  --with-debian-torch) packages='libfann-dev g++ libblis4-serial python3-torch' ;;
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "setup.sh: unknown option '$1'; it takes --with-debian-torch" >&2; exit 2 ;;
esac
peers=${MLPL_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/mlpl/peers}
python=${PYTHON:-python3}

missing=
if command -v apt-get >/dev/null; then
  for package in $packages; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: .* installed$' ||
      missing="$missing $package"
  done
  # The environment itself, if Debian's Python is without it.
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    missing="$missing python3-venv python3-dev"
else
  echo "setup.sh: there is no apt-get; install these in this system's way: $packages"
fi
if [ "$missing" ]; then
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "setup.sh: installing with apt-get:$missing"
  apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@" </dev/null; }
  apt install -y -qq --no-install-recommends $missing >/dev/null || {
    apt update -qq
    apt install -y -qq --no-install-recommends $missing >/dev/null
  } || echo "setup.sh: apt-get could not install:$missing; the ladder goes without" >&2
fi

if [ ! -x "$peers/bin/python3" ]; then
  echo "setup.sh: making a virtual environment in $peers"
  "$python" -m venv "$peers"
fi
if "$peers/bin/python3" -c '
import importlib.util, sys
modules = ("torch", "jax", "sklearn", "numpy")
sys.exit(any(not importlib.util.find_spec(m) for m in modules))'
then
  echo "setup.sh: $peers has torch, jax, scikit-learn and numpy"
else
  echo "setup.sh: installing torch, jax, scikit-learn and numpy with pip; they are large"
  "$peers/bin/python3" -m pip install --quiet torch jax scikit-learn numpy
fi
