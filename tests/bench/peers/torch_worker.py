"""PyTorch. torch_worker.py THREADS [once RUNG STEPS]

Variants: default and fused (eager, with the optimizer's default and its fused form),
compile (model, loss and backward compiled, fused optimizer), compile_all (the optimizer
compiled too). `once` trains STEPS steps, then prints the process's peak of resident
memory in KiB; it also runs on PyTorch 1.
"""
import sys

import torch
from torch import nn
from torch.nn import functional

from common import Cannot, batch_of, peak_memory, rungs, serve


def make_model(rung):
    layers = []
    for i, o in zip(rung.sizes, rung.sizes[1:]):
        layers += [nn.Linear(i, o), nn.ReLU()]
        if rung.dropout:
            layers += [nn.Dropout(rung.dropout)]
    return nn.Sequential(*layers[:-2 if rung.dropout else -1])


def make_optimizer(rung, parameters, options):
    if rung.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=1e-5, **options)
    momentum = 0.9 if rung.optimizer == "momentum" else 0
    return torch.optim.SGD(parameters, lr=1e-3, momentum=momentum, **options)


def trainer(rung, variant):
    torch.manual_seed(1)
    model = make_model(rung)
    fused = variant in ("fused", "compile")
    optimizer = make_optimizer(rung, model.parameters(), {"fused": True} if fused else {})
    x = torch.randn(rung.n, rung.sizes[0])
    y = torch.randint(0, rung.sizes[-1], (rung.n,))
    cross_entropy, update = functional.cross_entropy, optimizer.step
    zero_grad = optimizer.zero_grad

    if variant in ("default", "fused"):
        def step(x, y):
            loss = cross_entropy(model(x), y)
            zero_grad()
            loss.backward()
            update()
        return batch_of(step, rung.batch, x, y)

    loss_of = torch.compile(lambda x, y: cross_entropy(model(x), y))
    if variant == "compile_all":
        update = torch.compile(update)

    def compiled(x, y):
        loss = loss_of(x, y)
        zero_grad()
        loss.backward()
        update()
    return batch_of(compiled, rung.batch, x, y)


def predictor(rung, variant):
    if variant not in ("default", "compile"):
        raise Cannot("nothing is trained")
    model = make_model(rung).eval()
    if variant == "compile":
        model = torch.compile(model)
    run = batch_of(model, rung.batch, torch.randn(rung.n, rung.sizes[0]))

    def without_recording(steps):
        with torch.inference_mode():
            run(steps)
    return without_recording


def make(rung, variant):
    return (predictor if rung.job == "predict" else trainer)(rung, variant)


def drop():
    torch._dynamo.reset()


if int(sys.argv[1]) > 0:
    torch.set_num_threads(int(sys.argv[1]))
if sys.argv[2:3] == ["once"]:
    trainer(rungs()[sys.argv[3]], "default")(int(sys.argv[4]))
    print(peak_memory(), torch.__version__)
else:
    serve(torch.__version__, make, drop)
