"""Write the optimizers' numbers that the tests compare with, computed by a peer from inputs stored beside them.

`python scripts/make_optimizer_reference.py PEER`, each peer in an environment of its own (Python 3.11):
thinc (thinc==8.1.7, numpy<1.25), torch (torch==2.13.0), optax (optax==0.2.8, jax==0.10.2). thinc computes in float32,
the others in float64. The tests read the files; they need no peer.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
# The name in this package, the shape of the weights, and its arguments.
Case = tuple[str, tuple[int, ...], list[Any], dict[str, Any]]
# From the weights and a gradient to the weights after the update, and their running average where the peer keeps one.
Step = Callable[[Array, Array], tuple[Array, Array | None]]

FOLDER = Path(__file__).parent.parent / "tests" / "reference"
SIZE, SAMPLED_UPDATES = 12, (1, 2, 3, 5, 10, 50, 200)

THINC: list[Case] = [
    ("Adam", (4, 3), [0.01], {}),
    ("Adam", (4, 3), [0.01], {"L2": 0.1, "L2_is_weight_decay": False}),
    ("Adam", (4, 3), [0.01], {"L2": 0.1, "grad_clip": 0.5, "use_averages": False}),
    ("Adam", (4, 3), [[0.1, 0.05, 0.02, 0.01]], {"beta1": 0.8, "beta2": 0.99, "eps": 1e-4}),
    ("Adam", (12,), [0.02], {"beta1": [0.9, 0.5], "beta2": [0.99, 0.9], "eps": [1e-8, 1e-3], "L2": [0.1, 0.0, 0.2]}),
    ("Adam", (2, 2, 3), [0.02], {"grad_clip": [0.1, 2.0, 0.5]}),
    ("Adam", (4, 3), [0.05], {"beta2": 0.0}),
    ("RAdam", (4, 3), [0.01], {}),
    ("RAdam", (4, 3), [0.02], {"L2": 0.1, "beta1": 0.8, "beta2": 0.99}),
    ("RAdam", (4, 3), [0.02], {"beta2": 0.9, "grad_clip": 0.0}),
    ("RAdam", (12,), [[0.1, 0.02]], {"L2": 0.1, "L2_is_weight_decay": False, "eps": 1e-4, "use_averages": False}),
    ("SGD", (4, 3), [0.01], {"L2": 0.01}),
    ("SGD", (4, 3), [0.1], {"grad_clip": 0.3, "use_averages": False}),
    ("SGD", (12,), [[0.1, 0.05, 0.01]], {"L2": 0.1, "L2_is_weight_decay": False, "grad_clip": 0.0}),
    ("Optimizer", (4, 3), [0.02], {}),
    ("Optimizer", (4, 3), [0.02], {"use_radam": True, "L2": 0.1}),
    ("Optimizer", (4, 3), [0.1], {"beta1": 0.0, "beta2": 0.0, "L2": 0.1}),
]
PLAIN = {"grad_clip": 0.0, "use_averages": False}
TORCH: list[Case] = [
    ("AdamW", (4, 3), [0.01], PLAIN),
    ("AdamW", (4, 3), [0.03], PLAIN | {"weight_decay": 0.3, "beta1": 0.8, "beta2": 0.99, "eps": 1e-3}),
    ("AdamW", (12,), [0.01], PLAIN | {"weight_decay": 0.0, "beta1": 0.0}),
    ("RMSprop", (4, 3), [0.01], PLAIN),
    ("RMSprop", (4, 3), [0.02], PLAIN | {"beta2": 0.9, "eps": 1e-3, "L2": 0.1, "L2_is_weight_decay": False}),
    ("Adagrad", (4, 3), [0.01], PLAIN),
    ("Adagrad", (4, 3), [0.3], PLAIN | {"eps": 1e-3, "L2": 0.1, "L2_is_weight_decay": False}),
    ("Muon", (4, 3), [0.01], PLAIN),
    ("Muon", (3, 4), [0.02], PLAIN | {"weight_decay": 0.5, "momentum": 0.8}),
    ("Muon", (2, 6), [0.01], PLAIN | {"momentum": 0.0}),
]
OPTAX: list[Case] = [
    ("Lion", (4, 3), [0.001], PLAIN),
    ("Lion", (4, 3), [0.01], PLAIN | {"weight_decay": 0.3, "beta1": 0.8, "beta2": 0.95}),
    ("AdamW", (4, 3), [0.01], PLAIN | {"weight_decay": 0.1}),
]


def thinc_steps(name: str, args: list[Any], kwargs: dict[str, Any]) -> Step:
    optimizer = getattr(importlib.import_module("thinc.api"), name)(*args, **kwargs)

    def step(weights: Array, gradient: Array) -> tuple[Array, Array | None]:
        weights, _ = optimizer((1, "W"), weights, gradient)
        optimizer.step_schedules()
        return weights, optimizer.averages[(1, "W")] if optimizer.averages is not None else None

    return step


def torch_steps(name: str, args: list[Any], kwargs: dict[str, Any]) -> Step:
    torch: Any = importlib.import_module("torch")
    # Its Muon computes in bfloat16, of which two digits would be left to compare.
    torch.Tensor.bfloat16 = torch.Tensor.double
    options = {"lr": args[0]} | torch_options(name, kwargs)
    made: list[Any] = []

    def step(weights: Array, gradient: Array) -> tuple[Array, Array | None]:
        if not made:
            parameter = torch.nn.Parameter(torch.tensor(weights))
            made.extend([parameter, getattr(torch.optim, name)([parameter], **options)])
        parameter, optimizer = made
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        return parameter.detach().numpy().copy(), None

    return step


def torch_options(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments under PyTorch's names."""
    options: dict[str, Any] = {key: kwargs[key] for key in ("weight_decay", "eps", "momentum") if key in kwargs}
    if name == "AdamW":
        options["betas"] = kwargs.get("beta1", 0.9), kwargs.get("beta2", 0.999)
    if name == "RMSprop" and "beta2" in kwargs:
        options["alpha"] = kwargs["beta2"]
    if name == "Muon":
        options["adjust_lr_fn"] = "match_rms_adamw"
    if "L2" in kwargs:
        options["weight_decay"] = kwargs["L2"]
    return options


def optax_steps(name: str, args: list[Any], kwargs: dict[str, Any]) -> Step:
    optax, jax = importlib.import_module("optax"), importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    names = {"beta1": "b1", "beta2": "b2", "weight_decay": "weight_decay", "eps": "eps"}
    options: dict[str, Any] = {theirs: kwargs[ours] for ours, theirs in names.items() if ours in kwargs}
    if name == "Lion":
        options.setdefault("weight_decay", 0.0)
    optimizer = getattr(optax, name.lower())(args[0], **options)
    state: list[Any] = []

    def step(weights: Array, gradient: Array) -> tuple[Array, Array | None]:
        state[:] = state or [optimizer.init(jax.numpy.asarray(weights))]
        updates, state[0] = optimizer.update(jax.numpy.asarray(gradient), state[0], jax.numpy.asarray(weights))
        return np.array(optax.apply_updates(jax.numpy.asarray(weights), updates)), None

    return step


PEERS = {
    "thinc": (THINC, thinc_steps, np.float32),
    "torch": (TORCH, torch_steps, np.float64),
    "optax": (OPTAX, optax_steps, np.float64),
}


def cases(peer: str) -> Iterator[dict[str, Any]]:
    """One tensor, updated with gradients that are stored: its weights and averages after some of the updates."""
    rng = np.random.RandomState(0)
    start = rng.normal(size=SIZE).astype("float32")
    noise = rng.normal(size=(SAMPLED_UPDATES[-1], SIZE)).astype("float32")
    yield {"start": start.tolist(), "noise": noise.tolist()}
    listed, make, dtype = PEERS[peer]
    for name, shape, args, kwargs in listed:
        step, weights, found = make(name, args, kwargs), start.reshape(shape).astype(dtype), {}
        for update, drawn in enumerate(noise, 1):
            gradient = (dtype(0.7) * drawn.reshape(shape) + dtype(0.1) * weights).astype(dtype)
            weights, averages = step(weights, gradient)
            if update in SAMPLED_UPDATES:
                kept = averages.tolist() if averages is not None else None
                found[str(update)] = {"weights": weights.tolist(), "averages": kept}
        yield {"name": name, "shape": shape, "args": args, "kwargs": kwargs, "after": found}


def main(peer: str) -> None:
    path = FOLDER / f"optimizers_{peer}.json"
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases(peer)) + "\n]\n", encoding="utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main(sys.argv[1])
