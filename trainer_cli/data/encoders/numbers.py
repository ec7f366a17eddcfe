"""A number to predict, or numbers to predict from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen_columns, target_column
from trainer_cli.data.encoders.floats import Floats, is_gap
from trainer_cli.data.encoders.gaps import REMEDY, SKIP, stated_gaps
from trainer_cli.data.encoders.notation import notation_of
from trainer_cli.data.encoders.numeric import Numeric
from trainer_cli.data.encoders.state import stated_choice, stated_names, stated_number, stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, ModelFileError, Problem, ShapeError
from trainer_cli.registry import registry

Missing = Literal["mean", "error", "skip"]
Invalid = Literal["error", "missing"]

# No value of up to 101 training rows lies further out than 10 deviations, whatever it is (Samuelson, "How Deviant Can
# You Be?", 1968: at most the root of n - 1), and hardly one of a bell curve of any size; a slip of the keyboard does.
CLIP = 10.0
# What may become of a gap, by what the encoder is for.
WRONG_MISSING = {
    "target": 'a number to predict takes missing = "error" or "skip", which leaves rows without one out',
    "features": 'numbers to predict from take missing = "mean" or "error"; only a target leaves rows out',
}


@registry.encoders("numbers.v1")
class Numbers:
    """Numbers, standardised with the training rows' mean and deviation, as float32: a target or features.

    As a target, with `column`: (B, 1). Predictions are given back in the column's own unit, `mean + deviation *
    output`. `column` may be left out for one called `label` or `Y`. Every value must be a number; with
    `missing = "skip"` rows without one are left out of training and scoring.

    As features, with `columns`: (B, width), the numbers of each column in that order; a column may be an array (B, n).
    With `missing = "mean"` (the default) a missing value becomes the mean, which is 0, and for each number that was
    missing in training a flag stands behind all numbers; with "error" it is a DataError. What lies further out than
    `clip` deviations is cut to that (10 if it is left out; 0 for no limit). A number that is constant in training is
    always 0. Missing are empty texts, words such as NA, null, unknown and #N/A, and NaN; with `invalid = "missing"`
    also whatever else is no finite number, which is a DataError otherwise.

    Texts are numbers as Python writes them, or as `decimal = ","` and `thousands = "."` (also ",", " " or "'") say;
    with `units = true` one sign of a currency or of percent may stand before or behind each, which changes nothing.
    """

    def __init__(
        self,
        column: str | None = None,
        columns: list[str] | None = None,
        *,
        clip: float | None = None,
        missing: Missing | None = None,
        decimal: str | None = None,
        thousands: str | None = None,
        units: bool | None = None,
        invalid: Invalid | None = None,
    ):
        self.column = column
        self.columns = columns
        self.missing: Missing = missing or ("error" if columns is None else "mean")
        self.notation = notation_of(decimal, thousands, units)
        self.invalid: Invalid = invalid or "error"
        self._check(clip, missing)
        self.clip = (CLIP if clip is None else float(clip)) if columns is not None else 0.0
        self._numeric = self._made(())

    is_gap = staticmethod(is_gap)

    @property
    def reads(self) -> tuple[str, ...]:
        return self._numeric.reads

    @property
    def mean(self) -> Floats:
        return self._numeric.mean

    @property
    def scale(self) -> Floats:
        return self._numeric.scale

    @property
    def predicts(self) -> bool:
        """Whether it can be a target."""
        return self.columns is None

    @property
    def width(self) -> int:
        return 1 if self.columns is None else self._numeric.width

    def choose(self, columns: tuple[str, ...]) -> None:
        if self.columns is not None:
            self._numeric = self._made(chosen_columns(self.columns, columns))
            return
        self._numeric = self._made((target_column(self.column, columns, ", or features, as columns = [...]"),))

    def fit(self, block: Block) -> None:
        self._check_one(block)
        self._numeric.fit(block)

    def finish_fit(self) -> None:
        self._numeric.finish_fit()

    def encode(self, block: Block) -> Array:
        self._check_one(block)
        return self._numeric.encode(block)

    def decode(self, outputs: Array) -> list[float]:
        """Outputs (B, 1) in the column's unit."""
        if outputs.ndim != 2 or outputs.shape[1] != 1:
            raise ShapeError(f"a number takes outputs (B, 1), got {outputs.shape}")
        values: list[float] = (self.mean + self.scale * outputs[:, 0].astype(np.float64)).tolist()
        return values

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        numeric = self._numeric
        if self.columns is None:
            return {"column": self.reads[0], "missing": self.missing, **self.notation.settings()}, numeric.arrays()
        state = {"columns": list(self.reads), "sizes": list(numeric.sizes), "flagged": numeric.flagged.tolist()}
        lenient = {"invalid": self.invalid} if self.invalid == "missing" else {}
        state |= {"missing": self.missing, "clip": self.clip, **lenient, **self.notation.settings()}
        return state, numeric.arrays()

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Numbers:
        notation = stated_notation(state)
        if "columns" not in state:
            column = stated_text(state, "column")
            encoder = cls(column, missing=stated_gaps(state), **notation)
            encoder._numeric = encoder._made((column,))
            encoder._numeric.restore({"sizes": [1]}, arrays)
            return encoder
        names, clip = stated_names(state, "columns"), stated_number(state, "clip")
        missing = stated_choice(state, "missing", ("mean", "error"))
        invalid = stated_choice({"invalid": "error", **state}, "invalid", ("error", "missing"))
        encoder = cls(
            columns=list(names),
            clip=clip,
            missing="mean" if missing == "mean" else "error",
            invalid="missing" if invalid == "missing" else None,
            **notation,
        )
        encoder._numeric = encoder._made(names)
        encoder._numeric.restore(state, arrays)
        return encoder

    def _made(self, reads: tuple[str, ...]) -> Numeric:
        if self.columns is None:
            return Numeric(
                reads,
                argument="column",
                remedy=lambda name: "labels.v1 predicts classes",
                filler=REMEDY,
                notation=self.notation,
            )
        return Numeric(
            reads,
            fill=self.missing == "mean",
            clip=self.clip,
            zero_constants=True,
            remedy=lambda name: "categories.v1 or dates.v1 may take it",
            filler='missing = "mean" fills it in',
            notation=self.notation,
            lenient=self.invalid == "missing",
        )

    def _check(self, clip: float | None, missing: str | None) -> None:
        if self.column is not None and self.columns is not None:
            raise refused("columns", "column is a number to predict, columns are features; give one of them")
        if self.columns is None and clip is not None:
            raise refused("clip", "clip is for features, columns = [...]; a number to predict takes none")
        if missing not in (None, "error", SKIP if self.columns is None else "mean"):
            raise refused("missing", WRONG_MISSING["target" if self.columns is None else "features"])
        if self.invalid not in ("error", "missing"):
            raise refused("invalid", f'invalid must be "error" or "missing", got {self.invalid!r}')
        if self.invalid == "missing" and self.missing != "mean":
            raise refused("invalid", 'invalid = "missing" is for features with missing = "mean": a gap takes the mean')
        if clip is not None and not 0 <= clip < np.inf:
            raise refused("clip", f"clip must be a number of deviations, 0 for no limit, got {clip}")

    def _check_one(self, block: Block) -> None:
        """A number to predict is one a row."""
        values = block.columns.get(self.reads[0])
        if self.columns is None and isinstance(values, np.ndarray) and values.size != len(values):
            message = f"expected one number a row, got arrays {values.shape[1:]}"
            raise DataError(problems=[Problem(message, block.places.path, 0, printable(self.reads[0]))])


def stated_notation(state: Mapping[str, Any]) -> dict[str, Any]:
    """How a saved encoder reads texts; damaged settings are a ModelFileError."""
    found = {name: state[name] for name in ("decimal", "thousands", "units") if name in state}
    is_text = all(isinstance(found.get(name, ""), str) for name in ("decimal", "thousands"))
    try:
        notation_of(**{"decimal": None, "thousands": None, "units": None, **found})
    except DataError as err:
        raise ModelFileError(f"the encoder's notation is damaged: {err}") from err
    if not is_text or not isinstance(found.get("units", False), bool):
        raise ModelFileError(f"the encoder's notation is damaged: {found}")
    return found
