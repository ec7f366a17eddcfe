"""How far schedules, losses and initializers are from the reference's stored numbers.

`python tests/parts/differences.py` prints the largest difference of each name: `|ours - theirs| / max(1, |theirs|)`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import initializers, losses, schedules
from trainer_cli.arrays import Array
from trainer_cli.losses import Loss
from trainer_cli.randomness import generator
from trainer_cli.registry import registry
from trainer_cli.schedules import Schedule

Case = dict[str, Any]
FOLDER = Path(__file__).parent / "reference"


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


MEASURES: dict[str, Callable[[Case], float]] = {
    "schedules": schedule_difference,
    "losses": loss_difference,
    "initializers": initializer_difference,
}


def table() -> str:
    """One row a name: how many settings were compared, and the largest difference in float64 and float32."""
    lines = ["| name | settings | float64 | float32 |", "| --- | --- | --- | --- |"]
    for kind, measure in MEASURES.items():
        for name, group in itertools.groupby(sorted(cases(kind), key=lambda c: str(c["name"])), lambda c: c["name"]):
            settings, worst = list(group), dict[str, float]()
            for case in settings:
                dtype = case.get("dtype", "float64" if kind == "schedules" else "float32")
                worst[dtype] = max(worst.get(dtype, 0.0), measure(case))
            found = [f"{worst[dtype]:.1g}" if dtype in worst else "" for dtype in ("float64", "float32")]
            lines.append(f"| `{name}` | {len(settings)} | {found[0]} | {found[1]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
