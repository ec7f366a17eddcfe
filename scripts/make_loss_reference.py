"""Write the losses and gradients that the tests compare with, computed by Thinc 8.1.7 from inputs kept beside them.

Run in an environment of its own (Python 3.11, thinc==8.1.7, numpy<1.25): `python scripts/make_loss_reference.py`.
The tests read the file; they need no Thinc.
"""

from __future__ import annotations

import importlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
PATH = Path(__file__).parent.parent / "tests" / "reference" / "losses.json"
DTYPES = ("float64", "float32")
NAMES = ["ant", "bee", "cat", "dog"]
V1, V2, V3 = ("normalize", "names", "missing_value"), ("neg_prefix",), ("label_smoothing",)
# The arguments that each version takes; "" is the class, whose version is the last.
VERSIONS = {"v1": V1, "v2": V1 + V2, "v3": V1 + V2 + V3, "": V1 + V2 + V3}
SEQUENCE_VERSIONS = VERSIONS | {"v1": V1[:2], "v2": V1[:2] + V2}

# Arguments, and the form of the truths: class numbers as an array or a list, one-hot or other rows, names.
SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({}, "ints"),
    ({}, "list"),
    ({}, "one-hot"),
    ({}, "rows"),
    ({"normalize": False}, "ints"),
    ({"names": NAMES}, "names"),
    ({"names": NAMES, "normalize": False}, "names"),
    ({"names": NAMES}, "ints"),
    ({"missing_value": 2}, "ints"),
    ({"missing_value": 0}, "list"),
    ({"missing_value": 1}, "one-hot"),
    ({"missing_value": 3, "normalize": False}, "rows"),
    ({"missing_value": "2"}, "ints"),
    ({"names": NAMES, "missing_value": "bee"}, "names"),
    ({"names": NAMES, "missing_value": "?"}, "some missing"),
    ({"names": NAMES}, "some None"),
    ({"neg_prefix": "!"}, "ints"),
    ({"names": NAMES, "neg_prefix": "!"}, "names"),
    ({"names": NAMES, "neg_prefix": "!"}, "some negated"),
    ({"names": NAMES, "neg_prefix": "no ", "normalize": False}, "some negated"),
    ({"names": NAMES, "neg_prefix": "!", "missing_value": "ant"}, "some negated"),
    ({"label_smoothing": 0.1}, "ints"),
    ({"label_smoothing": 0.3, "normalize": False}, "list"),
    ({"label_smoothing": 0.7, "missing_value": 1}, "ints"),
    ({"label_smoothing": 0.2, "names": NAMES, "missing_value": "?"}, "some missing"),
]


class Inputs:
    """Guesses and truths from one stream."""

    def __init__(self) -> None:
        self.stream = np.random.default_rng(0)

    def guesses(self, n_rows: int, dtype: str) -> Array:
        """Half of the time probabilities, else any numbers in [0, 1]."""
        numbers = self.stream.random((n_rows, len(NAMES)))
        if self.stream.random() < 0.5:
            numbers /= numbers.sum(axis=1, keepdims=True)
        return numbers.astype(dtype)

    def truths(self, n_rows: int, form: str, neg_prefix: str | None) -> Any:
        classes = self.stream.integers(0, len(NAMES), n_rows)
        if form == "ints":
            return classes
        if form == "list":
            return classes.tolist()
        if form == "one-hot":
            return np.eye(len(NAMES))[classes]
        if form == "rows":
            return self.stream.random((n_rows, len(NAMES)))
        names = [NAMES[i] for i in classes]
        odd = {"some missing": "?", "some None": None}
        changed = self.stream.random(n_rows) < 0.4
        if form in odd:
            return [odd[form] if change else name for name, change in zip(names, changed, strict=True)]
        if form == "some negated":
            return [f"{neg_prefix}{name}" if change else name for name, change in zip(names, changed, strict=True)]
        return names


def crossentropies(inputs: Inputs) -> list[dict[str, Any]]:
    cases = []
    for version, (kwargs, form), dtype in itertools.product(VERSIONS, SETTINGS, DTYPES):
        if set(kwargs) <= set(VERSIONS[version]) and (dtype == DTYPES[0] or not version):
            n_rows = int(inputs.stream.integers(1, 6))
            truths = inputs.truths(n_rows, form, kwargs.get("neg_prefix"))
            cases.append(case("CategoricalCrossentropy", version, kwargs, inputs.guesses(n_rows, dtype), truths))
    cases.append(case("CategoricalCrossentropy", "", {}, np.zeros((0, 3), "f"), np.zeros(0, "i")))
    return cases


def sequence_crossentropies(inputs: Inputs) -> list[dict[str, Any]]:
    cases = []
    for version, (kwargs, form), dtype in itertools.product(SEQUENCE_VERSIONS, SETTINGS, DTYPES):
        if set(kwargs) <= set(SEQUENCE_VERSIONS[version]) and (dtype == DTYPES[0] or not version):
            lengths = inputs.stream.integers(1, 4, int(inputs.stream.integers(1, 4))).tolist()
            guesses = [inputs.guesses(length, dtype) for length in lengths]
            truths = [inputs.truths(length, form, kwargs.get("neg_prefix")) for length in lengths]
            cases.append(case("SequenceCategoricalCrossentropy", version, kwargs, guesses, truths))
    cases.append(case("SequenceCategoricalCrossentropy", "", {}, [], []))
    empty = [np.zeros((0, 3)), np.full((1, 3), 0.25)], [np.zeros(0, "i"), np.array([2])]
    cases.append(case("SequenceCategoricalCrossentropy", "", {}, *empty))
    return cases


def distances(inputs: Inputs) -> list[dict[str, Any]]:
    cases, shapes = [], ((1, 1), (3, 2), (5, 4), (0, 3))
    zeros = [{}, {"ignore_zeros": True}]
    arguments = [("L2Distance", {}), *(("CosineDistance", each) for each in zeros)]
    for (name, kwargs), version, normalize, shape, dtype in itertools.product(
        arguments, ("v1", ""), (True, False), shapes, DTYPES
    ):
        guesses, truths = (inputs.stream.normal(size=shape).astype(dtype) for _ in range(2))
        if name == "CosineDistance" and len(truths) > 2:
            truths[1], guesses[2] = 0.0, 0.0
            truths[0] = guesses[0] * 3
        cases.append(case(name, version, kwargs | {"normalize": normalize}, guesses, truths))
    return cases


def case(name: str, version: str, kwargs: dict[str, Any], guesses: Any, truths: Any) -> dict[str, Any]:
    """One case; `ints` and `dtype` tell which of its lists were arrays, and of what."""
    thinc = importlib.import_module("thinc.api")
    make = thinc.registry.losses.get(f"{name}.{version}") if version else getattr(thinc, name)
    first, truth = (guesses[:1], truths[:1]) if isinstance(guesses, list) else ([guesses], [truths])
    kind = truth[0].dtype.kind if truth and isinstance(truth[0], np.ndarray) else ""
    inputs = {
        "dtype": str(first[0].dtype) if first else "float64",
        "shapes": [list(each.shape) for each in guesses] if isinstance(guesses, list) else list(guesses.shape),
        "truths_are": {"i": "ints", "f": "floats", "": "list"}[kind],
        "guesses": plain(guesses),
        "truths": plain(truths),
    }
    grad, value = make(**kwargs)(guesses, truths)
    found = {"grad": plain(grad), "value": float(value)}
    return {"name": f"{name}.{version}" if version else name, "kwargs": kwargs, **inputs, **found}


def plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [plain(each) for each in value] if isinstance(value, list) else value


def main() -> None:
    made = [*crossentropies(Inputs()), *sequence_crossentropies(Inputs()), *distances(Inputs())]
    PATH.write_text("[\n" + ",\n".join(json.dumps(each) for each in made) + "\n]\n", encoding="utf-8")
    print(f"wrote {len(made)} cases to {PATH.name}")


if __name__ == "__main__":
    main()
