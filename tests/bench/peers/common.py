"""What the workers in Python share: the rungs, the measuring, the talk with run.py.

A worker is started once for a number of threads (its first argument) and answers lines:

  prepare RUNG VARIANT        ready | cannot WHY
  run RUNG VARIANT SECONDS    the median time of a step in microseconds | failed WHY
  drop                        ok; everything prepared is let go of
"""
import os
import sys
import time

BATCHES, CHUNKS = 64, 5


class Cannot(Exception):
    """This peer has no such model."""


class Rung:
    def __init__(self, words):
        self.name, self.job, net, batch, self.optimizer, dropout = words
        self.sizes = [int(size) for size in net.split("-")]
        self.batch, self.dropout = int(batch), float(dropout)
        self.net, self.n = net, BATCHES * int(batch)


def rungs():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rungs.txt")
    with open(path) as lines:
        words = [line.split() for line in lines if line.strip() and line[0] != "#"]
    return {each[0]: Rung(each) for each in words}


def estimate(run, seconds):
    """Seconds per step, roughly, once a tenth of the time has shown it."""
    steps = 1
    while True:
        start = time.perf_counter()
        run(steps)
        took = time.perf_counter() - start
        if took > seconds / 10:
            return took / steps
        steps *= 2


def measure(run, seconds):
    """run(n) makes n steps. The median of CHUNKS chunks, in microseconds per step."""
    steps = max(1, int(seconds / CHUNKS / estimate(run, seconds) + 1))
    each = []
    for _ in range(CHUNKS):
        start = time.perf_counter()
        run(steps)
        each.append((time.perf_counter() - start) / steps)
    return 1e6 * sorted(each)[CHUNKS // 2]


def batch_of(step, batch, x, y=None):
    """A run(n): step(x, y) over contiguous slices of data shuffled beforehand."""
    at = 0
    if y is None:
        def run(steps):
            nonlocal at
            for k in range(at, at + steps):
                i = k % BATCHES * batch
                step(x[i:i + batch])
            at = (at + steps) % BATCHES
    else:
        def run(steps):
            nonlocal at
            for k in range(at, at + steps):
                i = k % BATCHES * batch
                step(x[i:i + batch], y[i:i + batch])
            at = (at + steps) % BATCHES
    return run


def peak_memory():
    """KiB."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def one_line(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def answer(words, make, known, jobs, drop):
    if words[0] == "prepare":
        rung, variant = words[1:]
        run = make(known[rung], variant)
        run(3)
        measure(run, 0.2)
        jobs[rung, variant] = run
        return "ready"
    if words[0] == "run":
        return f"{measure(jobs[words[1], words[2]], float(words[3])):.4f}"
    jobs.clear()
    drop()
    return "ok"


def serve(version, make, drop=lambda: None):
    """make(rung, variant) gives run(n), or raises Cannot."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)                       # what libraries print is not an answer
    known, jobs = rungs(), {}
    print("ready", version, file=out, flush=True)
    for line in sys.stdin:
        try:
            said = answer(line.split(), make, known, jobs, drop)
        except Cannot as why:
            said = f"cannot {why}"
        except Exception as error:      # a peer's own trouble: the others go on
            said = f"failed {one_line(error)}"
        print(said, file=out, flush=True)
