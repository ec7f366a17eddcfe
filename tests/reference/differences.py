"""How far schedules, losses, initializers, layers and optimizers are from the stored numbers of Thinc and other peers.

`python tests/reference/differences.py` prints the tables of docs/thinc.md: the largest difference of each name,
`|ours - theirs| / max(1, |theirs|)`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import initializers, losses, optimizers, schedules
from trainer_cli.arrays import Array
from trainer_cli.losses import Loss
from trainer_cli.ops import Ops, get_ops
from trainer_cli.randomness import generator
from trainer_cli.registry import registry
from trainer_cli.schedules import Schedule

Case = dict[str, Any]
FOLDER = Path(__file__).parent


def cases(kind: str) -> list[Case]:
    found: list[Case] = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return found


def label(case: Case) -> str:
    """The name of a test of this case."""
    told = [case.get("dtype", ""), case.get("truths_are", ""), str(case.get("shapes", case.get("shape", "")))]
    return f"{case['name']}{case.get('args', '')}{case['kwargs'] or ''}{' '.join(filter(None, told))}"


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference of two numbers or arrays of one shape, over the larger of 1 and theirs."""
    ours, theirs = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float((np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))).max(initial=0.0))


def schedule_of(case: Case) -> Schedule:
    return make_schedule(case["name"], case["args"], case["kwargs"])


def make_schedule(name: str, args: list[Any], kwargs: dict[str, Any]) -> Schedule:
    """A list stands for a schedule inside a schedule: its name, then its arguments."""
    made = [make_schedule(arg[0], arg[1:], {}) if isinstance(arg, list) else arg for arg in args]
    schedule: Schedule = getattr(schedules, name)(*made, **kwargs)
    return schedule


def schedule_difference(case: Case, schedule: Callable[[int], float] | None = None) -> float:
    """Of the sampled steps, and of the sum over all of them."""
    schedule = schedule or schedule_of(case)
    total = math.fsum(schedule(step) for step in range(case["n_steps"]))
    return max(distance([schedule(step) for step in case["steps"]], case["values"]), distance(total, case["sum"]))


def loss_of(case: Case) -> Loss:
    make = registry.losses.get(case["name"]) if "." in case["name"] else getattr(losses, case["name"])
    loss: Loss = make(**case["kwargs"])
    return loss


def inputs_of(case: Case) -> tuple[Any, Any]:
    """Guesses and truths as the reference got them: arrays, lists, or lists of these for sequences."""
    of_truths = {"ints": np.int64, "floats": case["dtype"]}.get(case["truths_are"])

    def guesses(values: Any, shape: list[int]) -> Array:
        return np.array(values, dtype=case["dtype"]).reshape(shape)

    def truths(values: Any, shape: list[int]) -> Any:
        if of_truths is None:
            return values
        array = np.array(values, dtype=of_truths)
        return array.reshape(shape) if of_truths is not np.int64 else array

    if not case["shapes"] or isinstance(case["shapes"][0], list):
        pairs = list(zip(case["guesses"], case["truths"], case["shapes"], strict=True))
        return [guesses(g, shape) for g, _, shape in pairs], [truths(t, shape) for _, t, shape in pairs]
    return guesses(case["guesses"], case["shapes"]), truths(case["truths"], case["shapes"])


def loss_difference(case: Case, loss: Loss | None = None) -> float:
    """Of the value and of every number of the gradient, which has the type of the guesses."""
    guesses, truths = inputs_of(case)
    grad, value = (loss or loss_of(case))(guesses, truths)
    ours, theirs = (grad, case["grad"]) if isinstance(grad, list) else ([grad], [case["grad"]])
    assert len(ours) == len(theirs)
    assert all(each.dtype == case["dtype"] for each in ours)
    shapes = case["shapes"] if isinstance(grad, list) else [case["shapes"]]
    pairs = zip(ours, theirs, shapes, strict=True)
    return max([distance(value, case["value"]), *(distance(g, np.reshape(t, shape)) for g, t, shape in pairs)])


def initializer_difference(case: Case) -> float:
    """Of what is made of one draw, ours, by the scale and offset of theirs."""
    shape = tuple(case["shape"])
    drawn = getattr(initializers, case["name"])(object(), shape, generator=generator(7), **case["kwargs"])
    is_uniform = "uniform" in case["name"]
    unit = generator(7).uniform(-1, 1, shape) if is_uniform else generator(7).standard_normal(shape)
    return distance(drawn, unit * case["scale"] + case["offset"])


def layer_differences(case: Case, ops: Ops) -> tuple[float, float]:
    """Of the outputs, in training and when predicting, and of the gradients of the input and the parameters."""
    X, dY = (np.array(case[name], np.float32) for name in ("X", "dY"))
    model = registry.layers.get(case["layer"])(**case["arguments"]).use_ops(ops).initialize(X)
    for place, param in zip(model.store.named(model.store.values).values(), case["params"], strict=True):
        place[...] = param
    Y, backprop = model.begin_update(X)
    outputs = max(distance(Y, case["Y"]), distance(model.predict(X), case["predicted"]))
    pairs = [(backprop(dY), case["dX"])]
    pairs += zip(model.store.named(model.store.gradients).values(), case["gradients"], strict=True)
    return outputs, max(distance(ours, theirs) for ours, theirs in pairs)


def optimizer_difference(case: Case, inputs: Case, dtype: Any, ops: Ops) -> float:
    """Of the weights and averages after the updates that are stored."""
    optimizer, worst = getattr(optimizers, case["name"])(*case["args"], **case["kwargs"]), 0.0
    optimizer._ops = ops
    weights = np.float32(inputs["start"]).reshape(case["shape"]).astype(dtype)
    for update, noise in enumerate(np.float32(inputs["noise"]), 1):
        gradient = (dtype(0.7) * noise.reshape(weights.shape) + dtype(0.1) * weights).astype(dtype)
        optimizer((1, "W"), weights, gradient)
        optimizer.step_schedules()
        if (expected := case["after"].get(str(update))) is not None:
            worst = max(worst, distance(weights, dtype(expected["weights"])))
            if expected["averages"] is not None:
                worst = max(worst, distance(optimizer.averages[1, "W"], dtype(expected["averages"])))
    return worst


MEASURES: dict[str, Callable[[Case], float]] = {
    "schedules": schedule_difference,
    "losses": loss_difference,
    "initializers": initializer_difference,
}
PEERS = {"thinc": "Thinc", "torch": "PyTorch", "optax": "optax"}
EVERY_OPS = ("numpy", "numba")

Row = tuple[str, ...]


def by_name(found: list[Case], key: str = "name") -> Iterator[tuple[str, list[Case]]]:
    for name, group in itertools.groupby(sorted(found, key=lambda case: str(case[key])), lambda case: str(case[key])):
        yield name, list(group)


def short(difference: float) -> str:
    return f"{difference:.0e}" if difference else "0"


def rows_of_parts() -> Iterator[Row]:
    for kind, measure in MEASURES.items():
        for name, settings in by_name(cases(kind)):
            worst: dict[str, float] = {}
            for case in settings:
                dtype = case.get("dtype", "float64" if kind == "schedules" else "float32")
                worst[dtype] = max(worst.get(dtype, 0.0), measure(case))
            found = (short(worst[dtype]) if dtype in worst else "" for dtype in ("float64", "float32"))
            yield f"`{name}`", str(len(settings)), *found


def rows_of_layers() -> Iterator[Row]:
    for name, settings in by_name(cases("layers"), "layer"):
        measured = [layer_differences(case, get_ops(ops)) for case in settings for ops in EVERY_OPS]  # type: ignore[arg-type]
        yield f"`{name}`", str(len(settings)), *(short(max(column)) for column in zip(*measured, strict=True))


def rows_of_optimizers() -> Iterator[Row]:
    for peer, title in PEERS.items():
        inputs, *found = cases(f"optimizers_{peer}")
        for name, settings in by_name(found):
            exact = [optimizer_difference(case, inputs, np.float64, Ops()) for case in settings]
            rough = [optimizer_difference(case, inputs, np.float32, get_ops(o)) for case in settings for o in EVERY_OPS]  # type: ignore[arg-type]
            # Thinc computes in float32: its numbers say nothing about more digits.
            yield (
                f"`{name}`",
                title,
                str(len(settings)),
                "" if peer == "thinc" else f"{max(exact):.0e}",
                f"{max(rough):.0e}",
            )


TABLES: dict[Row, Callable[[], Iterator[Row]]] = {
    ("schedules, losses (gradient and value) and initializers", "settings", "float64", "float32"): rows_of_parts,
    ("layers (float32, plain and compiled)", "settings", "outputs", "gradients"): rows_of_layers,
    ("optimizers, after up to 200 updates", "peer", "settings", "float64", "float32"): rows_of_optimizers,
}


def table(titles: Row) -> str:
    """One of the tables, in Markdown."""
    rows = [titles, ("---",) * len(titles), *TABLES[titles]()]
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows)


if __name__ == "__main__":
    print("\n\n".join(map(table, TABLES)))
