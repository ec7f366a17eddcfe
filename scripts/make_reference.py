"""Write the numbers that the tests compare with, computed by Thinc 8.1.7 from inputs that are stored beside them.

Schedules and initializers here; losses, layers and optimizers by the scripts beside this one.

Run in an environment of its own (Python 3.11, thinc==8.1.7, numpy<1.25): `python scripts/make_reference.py`.
The tests read the files; they need no Thinc.
"""

from __future__ import annotations

import importlib
import itertools
import json
import math
from pathlib import Path
from typing import Any

import make_layer_reference
import make_loss_reference
import make_optimizer_reference
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
thinc = importlib.import_module("thinc.api")
FOLDER = Path(__file__).parent.parent / "tests" / "reference"
N_STEPS = 10_000
# Every step of the beginning, then a sample; the sum covers the steps between.
STEPS = [*range(64), *range(64, N_STEPS, 271), N_STEPS - 1]

SCHEDULES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("constant", [0.3], {}),
    ("constant", [128], {}),
    ("constant_then", [0.5, 7, ["decaying", 0.25, 0.5]], {}),
    ("constant_then", [0.5, 0, ["cyclic_triangular", 0.1, 0.2, 9]], {}),
    ("decaying", [0.001, 1e-4], {}),
    ("decaying", [0.1, 0.3], {"t": 12}),
    ("decaying", [0.1, 0.0], {}),
    ("compounding", [1.0, 16.0, 1.001], {}),
    ("compounding", [8.0, 128.0, 1.01], {}),
    ("compounding", [1.0, 1e9, 1.002], {}),
    ("compounding", [1.0, 2.0, 1.0000001], {}),
    ("compounding", [0.1, 1e-5, 0.999], {"t": 3.0}),
    ("compounding", [16.0, 1.0, 0.9], {}),
    ("warmup_linear", [0.01, 100, 2000], {}),
    ("warmup_linear", [0.003, 0, 9000], {}),
    ("warmup_linear", [0.003, 777, 777], {}),
    ("warmup_linear", [1.0, 0, 1], {}),
    ("slanted_triangular", [1.0, 20.0], {"ratio": 10}),
    ("slanted_triangular", [0.02, 5000], {}),
    ("slanted_triangular", [0.02, 5000], {"cut_frac": 0.35, "ratio": 7, "decay": 2.0, "t": 5.0}),
    ("cyclic_triangular", [0.1, 1.0, 2], {}),
    ("cyclic_triangular", [1e-5, 3e-3, 333], {}),
    ("cyclic_triangular", [0.5, 0.1, 10], {}),
]


def schedules() -> list[dict[str, Any]]:
    cases = []
    for name, args, kwargs in SCHEDULES:
        # A list stands for a schedule inside a schedule: its name, then its arguments.
        built = [getattr(thinc, arg[0])(*arg[1:]) if isinstance(arg, list) else arg for arg in args]
        values = [float(x) for x in itertools.islice(getattr(thinc, name)(*built, **kwargs), N_STEPS)]
        case = {"name": name, "args": args, "kwargs": kwargs, "n_steps": N_STEPS, "steps": STEPS}
        cases.append(case | {"values": [values[step] for step in STEPS], "sum": math.fsum(values)})
    return cases


INITIALIZERS: list[tuple[str, dict[str, Any]]] = [
    *((f"{family}_{kind}_init", {}) for family in ("glorot", "he", "lecun") for kind in ("uniform", "normal")),
    ("zero_init", {}),
    ("uniform_init", {}),
    ("uniform_init", {"lo": 0.5, "hi": 2.0}),
    ("normal_init", {}),
    ("normal_init", {"mean": 0.3}),
]


def initializers() -> list[dict[str, Any]]:
    """What each one makes of a draw of unit scale, `scale * drawn + offset`: the same draw is made twice."""
    cases, rules = [], importlib.import_module("thinc.initializers")
    for (name, kwargs), shape in itertools.product(INITIALIZERS, ((4, 6), (7, 3, 5), (10, 1))):
        np.random.seed(1)
        drawn = getattr(rules, name)(thinc.NumpyOps(), shape, **kwargs).astype("float64").ravel()
        np.random.seed(1)
        size = drawn.size
        unit = np.random.uniform(-1, 1, size) if "uniform" in name else np.random.standard_normal(size)
        scale, offset = np.polyfit(unit, drawn, 1)
        cases.append({"name": name, "kwargs": kwargs, "shape": list(shape), "scale": scale, "offset": offset})
    return cases


if __name__ == "__main__":
    for made in (schedules, initializers):
        path = FOLDER / f"{made.__name__}.json"
        path.write_text("[\n" + ",\n".join(json.dumps(case) for case in made()) + "\n]\n", encoding="utf-8")
        print(f"wrote {path.name}")
    make_loss_reference.main()
    make_layer_reference.main()
    make_optimizer_reference.main("thinc")
