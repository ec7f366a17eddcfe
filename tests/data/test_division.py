"""A reader divided by a split: each row in one part, with its place and number, however large the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from trainer_cli.arrays import Array
from trainer_cli.data import dataset
from trainer_cli.data.block import Block, Places
from trainer_cli.data.division import PartReader, divide
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.splits.random import RandomSplit
from trainer_cli.data.splits.time import TimeSplit
from trainer_cli.errors import ArgumentError, DataError, Problem


class Table:
    """Rows numbered in x, `size` a block, with lines or without; it may end in a mistake."""

    def __init__(self, n: int = 50, size: int = 8, lines: bool = True, mistake: bool = False):
        self.n, self.size, self.lines, self.mistake = n, size, lines, mistake
        self.n_given = 0

    def columns(self) -> tuple[str, ...]:
        return ("x", "label")

    def blocks(self) -> Iterator[Block]:
        for start in range(0, self.n, self.size):
            rows = range(start, min(start + self.size, self.n))
            places = Places("rows.csv", range(rows.start + 2, rows.stop + 2) if self.lines else None)
            self.n_given += len(rows)
            records = [{"x": row} for row in rows]
            yield Block({"x": np.array(rows), "label": ["a", "b"] * (len(rows) // 2)}, places, start, records)
        if self.mistake:
            raise DataError(problems=[Problem("a row is cut off", "rows.csv", 99)])


def x_of(reader: PartReader) -> list[int]:
    return [int(x) for block in reader.blocks() for x in np.asarray(block.columns["x"])]


def test_every_row_is_in_exactly_one_part_in_its_order() -> None:
    parts = divide(Table(), RandomSplit(0.2, 0.1), seed=0)
    found = {name: x_of(part) for name, part in parts.items()}
    assert {name: len(rows) for name, rows in found.items()} == {"train": 35, "dev": 10, "test": 5}
    assert sorted(x for rows in found.values() for x in rows) == list(range(50))
    assert all(rows == sorted(rows) for rows in found.values())
    assert {name: part.n for name, part in parts.items()} == {name: len(rows) for name, rows in found.items()}


def test_rows_keep_their_lines_and_numbers() -> None:
    for lines in (True, False):
        for block in divide(Table(lines=lines), RandomSplit(0.2), seed=0)["train"].blocks():
            numbers = np.asarray(block.columns["x"]).tolist()
            assert list(block.numbers) == numbers
            assert [record["x"] for record in block.records or ()] == numbers
            assert [block.place(row)[1] for row in range(len(block))] == [x + 2 if lines else 0 for x in numbers]
            where = str(block.problem(0, "x", "is odd"))
            assert where == (f"rows.csv:{numbers[0] + 2}: x: is odd" if lines else f"rows.csv: x[{numbers[0]}]: is odd")


def test_rows_in_memory_know_where_they_stand() -> None:
    part = divide(Table(lines=False), RandomSplit(0.3), seed=0)["dev"]
    features, target = Columns(), Labels()
    n = dataset.fit(part, features, target)
    data = dataset.load(part, features, target, n)
    assert [data.number(row) for row in range(data.n)] == x_of(part)
    assert data.place(3) == ("rows.csv", 0)


def test_encoders_are_fitted_on_training_rows_alone() -> None:
    part = divide(Table(), TimeSplit("x", 0.2), seed=0)["train"]
    features, target = Columns(), Labels()
    dataset.fit(part, features, target)
    assert dataset.load(part, features, target).X.mean() == pytest.approx(0, abs=1e-6)
    dataset.fit(Table(), features, target)
    assert abs(dataset.load(part, features, target).X.mean()) > 0.1


def test_only_the_first_rows_are_read_where_that_is_asked_for() -> None:
    table = Table()
    parts = divide(table, RandomSplit(0.5), seed=0, max_rows=10)
    assert table.n_given == 16
    assert len(x_of(parts["train"])) + len(x_of(parts["dev"])) == 16
    assert table.n_given == 3 * 16


def test_mistakes_of_the_rows_are_left_to_whoever_reads_the_part() -> None:
    parts = divide(Table(mistake=True), RandomSplit(0.2), seed=0)
    with pytest.raises(DataError, match=r"rows\.csv:99: a row is cut off"):
        x_of(parts["train"])


def test_mistakes_of_the_rows_come_with_those_of_the_split() -> None:
    with pytest.raises(DataError, match=r"(?s)rows\.csv:2: label: expected a date.*rows\.csv:99: a row is cut off"):
        divide(Table(mistake=True, n=4), TimeSplit("label", 0.2), seed=0)


@pytest.mark.parametrize(
    ("n", "shares", "said"),
    [
        (4, (0.1, 0.0), "dev: of the 4 rows the split makes 4 train, 0 dev: another share"),
        (4, (0.3, 0.1), "test: of the 4 rows the split makes 3 train, 1 dev, 0 test"),
        (2, (0.8, 0.0), "dev: of the 2 rows the split makes 0 train, 2 dev"),
    ],
)
def test_a_part_without_rows_is_refused(n: int, shares: tuple[float, float], said: str) -> None:
    with pytest.raises(DataError) as caught:
        divide(Table(n=n), RandomSplit(*shares), seed=0)
    assert said in str(caught.value)


class Own:
    """A user's split, which gives what it was made with."""

    def __init__(self, given: object):
        self.given = given

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        pass

    def divide(self, blocks: Iterable[Block], seed: int) -> Array:
        list(blocks)
        return self.given  # type: ignore[return-value]


def test_a_split_of_ones_own_may_give_a_list() -> None:
    parts = divide(Table(n=4), Own([0, 1, 2, 0]), seed=0)
    assert [x_of(parts[name]) for name in ("train", "dev", "test")] == [[0, 3], [1], [2]]


@pytest.mark.parametrize("given", [None, [0, 1, 2], [0, 1, 2, 3], [0.0, 1.0, 0.0, 1.0], [[0], [1], [0], [1]]])
def test_a_split_of_ones_own_that_gives_no_parts_is_refused(given: object) -> None:
    with pytest.raises(
        ArgumentError, match=r"one of 0, 1, 2 \(training, dev, test\) for each of the 4 rows, which Own"
    ):
        divide(Table(n=4), Own(given), seed=0)
