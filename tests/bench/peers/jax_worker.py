"""JAX. jax_worker.py THREADS

One variant, jit: one call a step (value_and_grad and a hand-written update, the old
parameters donated), each step's results the next one's arguments, and block_until_ready
at the end of a chunk. Batches lie ready as device arrays, which is faster than slicing in
the loop. In inference results do not depend on each other, and every one of them is
waited for.

run.py sets XLA_FLAGS for one thread before this starts.
"""
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from common import BATCHES, Cannot, serve

warnings.filterwarnings("error", message="Some donated buffers")


def make_parameters(rung):
    random = np.random.default_rng(1)
    def layer(i, o):
        bound = i ** -0.5
        return {"w": jnp.asarray(random.uniform(-bound, bound, (i, o)), jnp.float32),
                "b": jnp.asarray(random.uniform(-bound, bound, o), jnp.float32)}
    return [layer(i, o) for i, o in zip(rung.sizes, rung.sizes[1:])]


def forward(parameters, x, rate=0, key=None):
    for layer in parameters[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
        if rate:
            key, now = jax.random.split(key)
            x = jnp.where(jax.random.bernoulli(now, 1 - rate, x.shape), x / (1 - rate), 0)
    return x @ parameters[-1]["w"] + parameters[-1]["b"]


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def zeros_like(parameters):
    return jax.tree.map(jnp.zeros_like, parameters)


# An optimizer: its first state, and update(parameters, gradients, state) -> both, new.

def sgd(p, g, state):
    return jax.tree.map(lambda p, g: p - 1e-3 * g, p, g), state


def momentum(p, g, v):
    v = jax.tree.map(lambda v, g: 0.9 * v + g, v, g)
    return jax.tree.map(lambda p, v: p - 1e-3 * v, p, v), v


def adam(p, g, state):
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    rate, root = 1e-5 / (1 - 0.9 ** t), jnp.sqrt(1 - 0.999 ** t)
    p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
    return p, (m, v, t)


optimizers = {
    "sgd": (lambda p: (), sgd),
    "momentum": (zeros_like, momentum),
    "adam": (lambda p: (zeros_like(p), zeros_like(p), jnp.zeros((), jnp.float32)), adam),
}


def make_step(rung, update):
    def loss_of(parameters, x, y, key):
        return cross_entropy(forward(parameters, x, rung.dropout, key), y)

    def step(parameters, state, key, x, y):
        now = None
        if rung.dropout:
            key, now = jax.random.split(key)
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y, now)
        return *update(parameters, gradients, state), key, loss
    return jax.jit(step, donate_argnums=(0, 1, 2) if rung.dropout else (0, 1))


def pieces(array, rung):
    return [jax.device_put(array[k * rung.batch:(k + 1) * rung.batch])
            for k in range(BATCHES)]


def trainer(rung):
    random = np.random.default_rng(1)
    start, update = optimizers[rung.optimizer]
    p = make_parameters(rung)
    state, step = start(p), make_step(rung, update)
    key = jax.random.PRNGKey(1) if rung.dropout else None
    x = pieces(random.standard_normal((rung.n, rung.sizes[0]), np.float32), rung)
    y = pieces(random.integers(0, rung.sizes[-1], rung.n, np.int32), rung)
    at = 0

    def run(steps):
        nonlocal p, state, key, at
        for k in range(at, at + steps):
            k %= BATCHES
            p, state, key, loss = step(p, state, key, x[k], y[k])
        jax.block_until_ready((p, state, loss))
        at = (at + steps) % BATCHES
    return run


def predictor(rung):
    random = np.random.default_rng(1)
    p, model = make_parameters(rung), jax.jit(forward)
    x = pieces(random.standard_normal((rung.n, rung.sizes[0]), np.float32), rung)
    at = 0

    def run(steps):
        nonlocal at
        for k in range(at, at + steps):
            model(p, x[k % BATCHES]).block_until_ready()
        at = (at + steps) % BATCHES
    return run


def make(rung, variant):
    if variant != "jit":
        raise Cannot("no such variant")
    return predictor(rung) if rung.job == "predict" else trainer(rung)


serve(jax.__version__, make, jax.clear_caches)
