"""A small run of functions of JAX with dropout and running means."""

import numpy as np

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
        return ((Y, Y) if fault == "tuple" else Y[:, 0] if fault == "wrong" else Y), state

    return init, apply
"""

CONFIG = """
[system]
ops = "numpy"
threads = 1

[data.train]
@readers = "csv.v1"
path = "train.csv"

[data.dev]
@readers = "csv.v1"
path = "dev.csv"

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "JAXWrapper.v1"

[model.module]
@layers = "net.v1"

[loss]
@losses = "CategoricalCrossentropy.v4"
from_logits = true

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.02

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = 40
batch_size = 7
eval_frequency = 7
accumulate_gradient = 2
"""


def write_files(folder, parts=PARTS, config=CONFIG):
    """Points of two classes, the parts and the config; the config's path."""
    rng = np.random.default_rng(0)
    for name, n in (("train", 47), ("dev", 20)):
        X = rng.normal(size=(n, 2))
        rows = [f"{a:.4f},{b:.4f},{'yes' if a + b > 0 else 'no'}" for a, b in X]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    (folder / "parts.py").write_text(parts)
    (folder / "run.cfg").write_text(config)
    return folder / "run.cfg"
