"""Convolutions of PyTorch for conv.py; jobs and answers are those of conv.lua."""

import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)
clock = time.process_time if sys.argv[2] == "cpu" else time.perf_counter
made, made_for = None, None

for line in sys.stdin:
    words = line.split()
    n, c, h, w, m, kh, kw, stride, padding, groups = map(int, words[:10])
    back, repeats = words[10] == "backward", int(words[11])
    if made_for != words[:10]:
        made_for, made = words[:10], [torch.randn(n, c, h, w),
                                      torch.randn(m, c // groups, kh, kw), torch.randn(m)]
    for t in made:
        t.requires_grad_(back)
    run = lambda: torch.nn.functional.conv2d(*made, stride, padding, 1, groups)
    g = torch.ones_like(run()) if back else None
    times = []
    for _ in range(repeats):
        start = clock()
        y = run()
        if back:
            y.backward(g)
            for t in made:
                t.grad = None
        times.append(clock() - start)
    times.sort()
    print(f"{times[0]:.9f} {times[(repeats - 1) // 2]:.9f}", flush=True)
