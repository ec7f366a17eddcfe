"""The same network with the same first numbers in each library: `python scripts/compare_engines.py`.

An MLP in the built-in layers, PyTorch, JAX and thinc makes the same 100 updates on Fashion-MNIST (digits where that is
not there). Writes docs/engines.json, and the table in docs/engines.md between its two marks.

With the smooth Swish rounding stays rounding. Relu has a kink: where an input of it lies within rounding of zero, one
library lets a gradient through and another does not, and from then on they go ways of their own. The first such input
is in the table, computed in float64 from the weights that each had before that update.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np
from benchmark.images import FOLDER, fashion_mnist
from benchmark.running import ROOT

from trainer_cli.api import Adam, CategoricalCrossentropyV4, Linear, Model, Relu, Swish, chain
from trainer_cli.arrays import Array
from trainer_cli.wrappers.jax import JAXWrapper
from trainer_cli.wrappers.pytorch import PyTorchWrapper
from trainer_cli.wrappers.thinc import ThincWrapper

BEGIN, END = "<!-- agreement -->\n", "<!-- /agreement -->\n"
LOSS_LIMIT, GRADIENT_LIMIT = 1e-4, 1e-5


Activation = Literal["swish", "relu"]


def built_in(widths: Sequence[int], activation: Activation) -> Model:
    layer = Swish if activation == "swish" else Relu
    return chain(*(layer(width) for width in widths[:-1]), Linear(widths[-1]))


def pytorch(widths: Sequence[int], n_in: int, activation: Activation) -> Model:
    from torch import nn

    parts: list[Any] = []
    for before, width in zip([n_in, *widths], widths, strict=False):
        parts += [nn.Linear(before, width), nn.SiLU() if activation == "swish" else nn.ReLU()]
    return PyTorchWrapper(nn.Sequential(*parts[:-1]))


def jax(widths: Sequence[int], n_in: int, activation: Activation) -> Model:
    import jax.numpy as jnp
    from jax.nn import relu, silu

    between = silu if activation == "swish" else relu

    def init(rng: Any, X: Any) -> Any:
        sizes = zip([n_in, *widths], widths, strict=False)
        return [{"W": jnp.zeros((n_out, n_before)), "b": jnp.zeros(n_out)} for n_before, n_out in sizes]

    def apply(params: Any, X: Any, is_train: bool, rng: Any) -> Any:
        for index, layer in enumerate(params):
            X = X @ layer["W"].T + layer["b"]
            X = between(X) if index < len(params) - 1 else X
        return X

    return JAXWrapper((init, apply))


def thinc(widths: Sequence[int], activation: Activation) -> Model:
    from thinc import api

    layer = api.Swish if activation == "swish" else api.Relu
    return ThincWrapper(api.chain(*(layer(width) for width in widths[:-1]), api.Linear(widths[-1])))


@dataclass(frozen=True)
class Course:
    """What happened: the loss before each update, the gradient of the first one, and what came into each Relu."""

    losses: Array
    gradient: Array
    inputs: Sequence[Sequence[Array]]


def inputs_of_relus(values: Array, X: Array, widths: Sequence[int]) -> list[Array]:
    """What comes into the Relus for these rows, (B, width) each, from weights that lie end to end."""
    found, start, H = [], 0, X.astype(np.float64)
    for width in widths[:-1]:
        stop = start + width * H.shape[1]
        W, b = values[start:stop].reshape(width, -1), values[stop : stop + width]
        found.append(H @ W.T.astype(np.float64) + b)
        H, start = np.maximum(found[-1], 0), stop + width
    return found


def parting(ours: Course, theirs: Course) -> dict[str, float] | None:
    """The first update, from 1, and the input of a Relu that is above zero in one course and not in the other; of
    several the one that is farthest from zero."""
    for step, layers in enumerate(zip(ours.inputs, theirs.inputs, strict=True)):
        pairs = [np.stack([a, b])[:, (a > 0) != (b > 0)] for a, b in zip(*layers, strict=True)]
        found = np.concatenate(pairs, axis=1)
        if found.size:
            a, b = found[:, np.abs(found).max(axis=0).argmax()]
            return {"update": step + 1, "ours": float(a), "theirs": float(b)}
    return None


def trained(
    model: Model, values: Array, X: Array, Y: Array, n_steps: int, widths: Sequence[int], batch_size: int = 128
) -> Course:
    """The course of `n_steps` updates of Adam from these first numbers."""
    model.initialize(X[:16], np.zeros((1, int(Y.max()) + 1), np.float32))
    assert model.store.values.shape == values.shape
    model.store.values[...] = values
    loss, optimizer, losses = CategoricalCrossentropyV4(from_logits=True), Adam(0.001), []
    first, inputs = np.zeros(0), []
    for step in range(n_steps):
        rows = np.arange(step * batch_size, (step + 1) * batch_size) % len(X)
        inputs.append(inputs_of_relus(model.store.values, X[rows], widths))
        Yh, backprop = model.begin_update(X[rows], input_gradient=False)
        dYh, value = loss(Yh, Y[rows])
        losses.append(value)
        backprop(dYh)
        if step == 0:
            first = model.store.gradients.copy()
        model.finish_update(optimizer)
    return Course(np.array(losses), first, inputs)


def compared(
    X: Array, Y: Array, widths: Sequence[int], activation: Activation, n_steps: int = 100
) -> dict[str, dict[str, Any]]:
    """For each library that is here, how far its losses and first gradient are from those of the built-in layers, and
    where the two part at a kink."""
    first = built_in(widths, activation).initialize(X[:16], np.zeros((1, widths[-1]), np.float32), seed=1)
    values = first.store.values.copy()
    ours = trained(built_in(widths, activation), values, X, Y, n_steps, widths)
    makers: Mapping[str, Callable[[], Model]] = {
        "torch": lambda: pytorch(widths, X.shape[1], activation),
        "jax": lambda: jax(widths, X.shape[1], activation),
        "thinc": lambda: thinc(widths, activation),
    }
    found = {}
    for library, make in makers.items():
        if find_spec(library) is not None:
            theirs = trained(make(), values, X, Y, n_steps, widths)
            found[library] = {
                "loss": float(np.abs(theirs.losses - ours.losses).max()),
                "gradient": float(np.abs(theirs.gradient - ours.gradient).max()),
                "first_loss": float(theirs.losses[0]),
                "last_loss": float(theirs.losses[-1]),
                "parting": parting(ours, theirs) if activation == "relu" else None,
            }
    return found


def digits() -> tuple[Array, Array]:
    with (ROOT / "configs/data/digits-train.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "digit"]
    X = np.array([[float(row[name]) for name in names] for row in rows], np.float32)
    return X / X.max(), np.array([int(row["digit"]) for row in rows], np.int64)


def table(found: Mapping[str, Any]) -> str:
    lines = [
        f"{found['data']}, {found['n_steps']} updates of Adam with batches of 128, widths {found['widths']}:\n",
        "| | largest difference of a loss | of a number in the first gradient | first loss | last loss | at the kink |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for activation, rows in found["engines"].items():
        for library, row in rows.items():
            numbers = f"{row['loss']:.1e} | {row['gradient']:.1e} | {row['first_loss']:.6f} | {row['last_loss']:.6f}"
            where = row["parting"]
            kink = f"update {where['update']}: {where['ours']:.1e} is {where['theirs']:.1e}" if where else ""
            lines.append(f"| {activation}, {library} {found['versions'][library]} | {numbers} | {kink} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    has_images = FOLDER.is_dir()
    X, Y = fashion_mnist() if has_images else digits()
    widths = [256, 128, 10]
    engines = {activation: compared(X, Y, widths, activation) for activation in get_args(Activation)}
    found = {
        "data": "Fashion-MNIST" if has_images else "digits",
        "n_steps": 100,
        "widths": widths,
        "engines": engines,
        "versions": {library: version(library) for library in engines["swish"]},
    }
    (ROOT / "docs/engines.json").write_text(json.dumps(found, indent=2) + "\n")
    page = (ROOT / "docs/engines.md").read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    (ROOT / "docs/engines.md").write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}")
    print(table(found))


if __name__ == "__main__":
    main()
