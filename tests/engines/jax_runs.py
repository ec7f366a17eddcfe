"""A small run of functions of JAX with dropout and running means."""

import engine_runs
from engine_runs import write_run

PARTS = """
import jax
import jax.numpy as jnp

from trainer_cli.api import registry


@registry.layers("net.v1")
def net(width: int = 6, fault: str = ""):
    def init(rng, X):
        keys = jax.random.split(rng)
        params = {"hidden": jax.random.normal(keys[0], (2, width)), "output": jax.random.normal(keys[1], (width, 2))}
        return params, {"mean": jnp.zeros(width), "n": jnp.zeros((), int)}

    def apply(params, state, X, is_train, rng, mask):
        if fault == "stopped":
            params = jax.lax.stop_gradient(params)
        if fault == "blind":
            mask = jnp.ones(len(mask))
        H = X @ params["hidden"]
        n = state["n"]
        if is_train:
            mean = (H * mask[:, None]).sum(axis=0) / mask.sum()
            state = {"mean": 0.9 * state["mean"] + 0.1 * mean, "n": n + 1}
        else:
            mean = state["mean"]
        H = jax.nn.relu(H - mean)
        if is_train:
            H = H * jax.random.bernoulli(rng, 0.7, H.shape) / 0.7
        Y = H @ params["output"]
        if fault == "not_finite":
            Y = Y / (n < 5)
        if fault == "raises":
            raise KeyError("no such thing")
        if fault == "softmax":
            Y = jax.nn.softmax(Y)
        return ((Y, Y) if fault == "tuple" else Y[:, 0] if fault == "wrong" else Y), state

    return init, apply
"""

CONFIG = engine_runs.CONFIG.format(wrapper="JAXWrapper", max_steps=40)


def write_files(folder):
    return write_run(folder, PARTS, CONFIG)
