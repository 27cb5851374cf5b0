#!/bin/sh
# The ladder: mlpl side by side with what a user would pick instead, in one run.
#
# sh tests/bench/run.sh [options]
#   --rungs L1,L5,I1    which (default: L1 to L8, I1, I2, S1, M1)
#   --seconds S         of every turn (default 0.5)
#   --rounds N          turns of everybody (default 9)
#   --peers LIST        of torch,jax,sklearn,fann (default: all that are here); none
#   --json FILE         all numbers, with machine, versions, command and date
#   --bits              nothing is timed: are the weights after some steps the same, bit
#                       for bit, with 1, 2, 3, 4 and 8 threads? --json keeps the sums
#   --against FILE      with --bits: and the same as in that earlier --json FILE?
#   --steps N           with --bits: so many steps (default: by the rung)
#
# Environment: MLPL_BUILD is where mlpl was built (default build/release; built when it is
# not there), MLPL_PEERS the virtual environment of the peers that setup.sh makes. Whoever
# is not installed is left out, and that is said. Nothing else should run on the machine.
#
# What is measured
#
# The rungs are in rungs.txt; f32 throughout; the data are 64 batches of noise. Every
# contestant is a process of its own for one and for two threads, prepared and warm
# (compiled, where it compiles) before the first turn. They take turns, A B C A B C ...,
# so that what the machine does meanwhile hits all of them. A turn is five chunks of
# steps, of which the median counts; the number of a contestant is the median of its turns
# at the better of its two settings, and every ratio is of such medians. A step is: the
# next batch, model, loss, zero_grad, backward, update. mlpl runs the plain Lua loop of
# ladder.lua with ds:batches { shuffle = true }; the peers take contiguous slices of data
# that were shuffled beforehand.
#
#   mlpl             the plain loop; "mlpl planned": a step planned once and replayed
#   PyTorch eager    with its default and its fused optimizer; the faster one is meant
#   torch.compile    model, loss and backward compiled, with the fused optimizer or with
#                    the optimizer compiled; the faster one is meant
#   JAX              jit, one call a step
#   scikit-learn     MLPClassifier.partial_fit, where it has such a net
#   FANN             its own job, on L1 to L3: sigmoids, squared error, sample by sample
#                    (peers/fann.c), beside our C API on that job (own_fann.c), per sample
#
# I1 and I2 are inference: model:predict(x) beside eval mode without recording. S1 is a
# whole process, from its start to its end, that makes one step of L3; M1 the peak of
# resident memory (VmHWM) of a process that makes 640 steps of L5: each beside Debian's
# python3-torch where /usr/bin/python3 has it.
#
# In the same turns, peak.c measures the product peak (the best of our own and BLIS's
# products, 512 to 2048 cubed, one and two threads) and bandwidth.c the triad and, for I1,
# the reading of a buffer of its weights' size. From them
#
#   T* = needed FLOPs / peak + the optimizer's bytes / bandwidth
#
# with 2 FLOPs for each weight and example in the forward pass, 2 in the gradient of the
# weights, 2 in that of the inputs except the first layer's; bytes per parameter: 4 times
# 3 for SGD (read w, g; write w), 5 with momentum, 7 for Adam.
set -eu
cd "$(dirname "$0")/../.."
case ${1-} in
  -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' tests/bench/run.sh; exit 0 ;;
esac
build=${MLPL_BUILD:-build/release}
peers=${MLPL_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/mlpl/peers}

command -v python3 >/dev/null || { echo 'run.sh: needs python3' >&2; exit 1; }
for product in mlpl bench/own_fann bench/peak bench/bandwidth; do
  [ -x "$build/$product" ] || { sh scripts/build.sh release --tests; break; }
done

# FANN's worker is made here: the build of mlpl does not know FANN.
fann=$build/bench/peers_fann source=tests/bench/peers/fann.c
if echo '#include <fann.h>' | cc -E - >/dev/null 2>&1; then
  version=$(pkg-config --modversion fann 2>/dev/null || echo unknown)
  [ "$fann" -nt "$source" ] && [ "$fann" -nt tests/bench/serve.h ] ||
    cc -O2 -D_POSIX_C_SOURCE=200809L -DVERSION="\"$version\"" "$source" -o "$fann" \
      -lfann -lm
fi

export MLPL_BUILD="$build" MLPL_PEERS="$peers"
exec python3 -B tests/bench/run.py "$@"
