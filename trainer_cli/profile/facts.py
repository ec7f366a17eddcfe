"""What one column holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer_cli.data.encoders.datetimes import Order
from trainer_cli.data.encoders.notation import Notation

# The squares of larger numbers, added up over many rows, may be no float64.
LARGEST = 1e150
# The share of values that are no numbers up to which a column is one of numbers all the same.
FEW_ODD = 0.01


@dataclass(frozen=True)
class ColumnFacts:
    """What a column held in the `n` rows that were looked at.

    kind: `empty`; `whole` and `number`; `code` (digits with leading zeros), `truth` (yes and no), `date`, `date?`
        (day or month first?), `amount` ("$1,200"), `mixed` (numbers and a few texts), `text`; `list` (texts, a list a
        row), `image` and `array`.
    missing: rows with nothing, or a word that stands for it.
    distinct: how many different values; estimated unless `is_exact`.
    low, high: the least and the greatest number, date or length of a list.
    words: on average, of texts. longest: characters of the longest.
    counts: how often values came, the most frequent first; at most `limit` of them.
    odd: for `mixed` and `amount`, the values that are no numbers, the most frequent first.
    n_odd: of `mixed`, how many rows have no finite number. odd_at: file and line of the first of them, as `missing_at`.
    missing_at: file and line of the first rows without a value, ten at most.
    shape: of one array. holes: rows of arrays in which a number is missing, or all are.
    step: of whole numbers, one a row, how far each is from the next; None if not all are as far.
    order: of `date`, which number of such as 03/25/2021 is the day; None where there are none such.
    doubt: of `date?`, why that is not plain.
    notation: of `amount`, how all of its values are numbers; None if they are not in any one notation.
    """

    name: str
    kind: str
    n: int
    missing: int = 0
    distinct: int = 0
    is_exact: bool = True
    low: float | str | None = None
    high: float | str | None = None
    words: float = 0.0
    longest: int = 0
    examples: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    odd: tuple[str, ...] = ()
    missing_at: tuple[tuple[str, int], ...] = ()
    n_odd: int = 0
    odd_at: tuple[tuple[str, int], ...] = ()
    shape: tuple[int, ...] = ()
    holes: int = 0
    step: int | None = None
    notation: Notation | None = None
    order: Order | None = None
    doubt: str = ""

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.n - self.missing

    @property
    def is_constant(self) -> bool:
        return self.distinct == 1 and not self.missing

    @property
    def is_nearly_numeric(self) -> bool:
        """Whether all but very few values are numbers: those hardly are but slips."""
        return self.kind == "mixed" and self.n_odd <= self.present * FEW_ODD

    @property
    def is_counting(self) -> bool:
        """Whether it numbers the rows: 0, 1, 2 or 1, 2, 3 and so on, in any order."""
        return self.step == 1 and self.low in (0, 1)

    @property
    def is_numeric(self) -> bool:
        return self.kind in ("whole", "number") or self.notation is not None

    @property
    def is_too_large(self) -> bool:
        """Whether a number is so large that its square, which a deviation is made of, may be no float64."""
        return any(isinstance(value, float) and abs(value) > LARGEST for value in (self.low, self.high))
