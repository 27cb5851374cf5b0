#!/usr/bin/env python3
"""Convolutions beside PyTorch's, f32, in alternating turns.

python3 tests/bench/conv.py [threads] [turns] [wall | cpu] [only shapes that contain this]

cpu: the processor's time of the process is taken, not the wall's; on one thread that is
what a machine of one's own would show while others work on this one.

A turn makes each shape as often as fits into a twentieth of a second (5 times at least);
the number is the least of all, since what else runs on the machine only adds, and beside
it the ratio of the medians. MLPL_BUILD and MLPL_PEERS are as for run.sh.
"""

import os
import subprocess
import sys

SHAPES = [  # n c h w, m kh kw, stride padding groups
    (1, 3, 512, 512, 16, 7, 7, 1, 3, 1),
    (1, 3, 512, 512, 64, 7, 7, 1, 3, 1),
    (1, 3, 512, 512, 64, 7, 7, 2, 3, 1),
    (8, 64, 56, 56, 64, 3, 3, 1, 1, 1),
    (8, 64, 56, 56, 128, 3, 3, 2, 1, 1),
    (8, 256, 14, 14, 256, 3, 3, 1, 1, 1),
    (8, 256, 14, 14, 256, 1, 1, 1, 0, 1),
    (8, 64, 56, 56, 256, 1, 1, 1, 0, 1),
    (8, 128, 28, 28, 128, 3, 3, 1, 1, 128),
    (8, 64, 56, 56, 64, 3, 3, 2, 1, 64),
    (32, 1, 28, 28, 16, 5, 5, 1, 0, 1),
    (32, 16, 12, 12, 32, 5, 5, 1, 0, 1),
    (1, 16, 28, 28, 32, 3, 3, 1, 1, 1),
]
PASSES = ["forward", "backward"]


class Worker:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, shape, kind, repeats):
        job = " ".join(map(str, shape)) + f" {kind} {repeats}\n"
        self.process.stdin.write(job)
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))


def main():
    threads = sys.argv[1] if len(sys.argv) > 1 else "2"
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    clock = sys.argv[3] if len(sys.argv) > 3 else "wall"
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.environ.get("MLPL_BUILD", os.path.join(here, "../../build/release"))
    peers = os.environ.get("MLPL_PEERS", os.path.join(
        os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "mlpl/peers"))
    workers = [
        Worker(os.path.join(build, "mlpl"), os.path.join(here, "conv.lua"), threads,
               clock),
        Worker(os.path.join(peers, "bin/python"), "-B",
               os.path.join(here, "peers/torch_conv.py"), threads, clock)]
    print("| image, kernels, stride, groups | pass | mlpl, us | PyTorch, us | least: "
          "PyTorch / mlpl | medians |\n| --- | --- | --- | --- | --- | --- |")
    for shape in SHAPES:
        n, c, h, w, m, kh, kw, stride, padding, groups = shape
        name = f"{n}x{c}x{h}x{w}, {m} of {kh}x{kw}, {stride}, {groups}"
        if only not in name:
            continue
        for kind in PASSES:
            least, middles = [1e9, 1e9], [[], []]
            repeats = [max(5, int(0.05 / w.run(shape, kind, 2)[0])) for w in workers]
            for _ in range(turns):
                for i, worker in enumerate(workers):
                    t = worker.run(shape, kind, min(500, repeats[i]))
                    least[i] = min(least[i], t[0])
                    middles[i].append(t[1])
            a, b = (sorted(m)[len(m) // 2] for m in middles)
            print(f"| {name} | {kind} | {least[0] * 1e6:.0f} | {least[1] * 1e6:.0f} | "
                  f"{least[1] / least[0]:.2f} | {b / a:.2f} |", flush=True)


if __name__ == "__main__":
    main()
