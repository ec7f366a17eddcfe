"""Every split: how many rows it holds out, which, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from trainer_cli.data.block import Block, Places
from trainer_cli.data.splits import fold
from trainer_cli.data.splits import split as split_module
from trainer_cli.data.splits.fold import FoldSplit
from trainer_cli.data.splits.hash import HashSplit
from trainer_cli.data.splits.random import RandomSplit
from trainer_cli.data.splits.split import Parts, Split
from trainer_cli.data.splits.stratified import StratifiedSplit
from trainer_cli.data.splits.time import TimeSplit
from trainer_cli.errors import ArgumentError, DataError
from trainer_cli.registry import registry

LABELS = ["common"] * 70 + ["seldom"] * 25 + ["rare"] * 4 + ["single"]
DAYS = [f"2026-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(100)]

# A split of every name, for rows of the columns key, day and label.
SPLITS: dict[str, Split] = {
    "random.v1": RandomSplit(0.2, 0.1),
    "stratified.v1": StratifiedSplit(0.2, 0.1, column="label"),
    "hash.v1": HashSplit("key", 0.2, 0.1),
    "time.v1": TimeSplit("day", 0.2, 0.1),
}
# Those of equal parts have no shares.
FOLDS = {"fold.v1"}


def blocks(size: int = 30, n: int = 100, **columns: Sequence[str]) -> list[Block]:
    """The rows as a file would give them, `size` at a time."""
    columns = columns or {"key": [f"k{row % 17}" for row in range(n)], "day": DAYS[:n], "label": LABELS[:n]}
    n = len(next(iter(columns.values())))
    return [
        Block(
            {name: list(values[start : start + size]) for name, values in columns.items()},
            Places("rows.csv", range(start + 2, min(start + size, n) + 2)),
            start,
        )
        for start in range(0, n, size)
    ]


def divided(split: Split, rows: list[Block], seed: int = 0) -> Parts:
    split.choose(tuple(rows[0].columns), ("label",))
    return split.divide(rows, seed)


def counts(parts: Parts) -> list[int]:
    return np.bincount(parts, minlength=3).tolist()


def test_every_split_is_tested() -> None:
    assert {name for name in registry.splits.names() if registry.splits.is_built_in(name)} == set(SPLITS) | FOLDS


@pytest.mark.parametrize("name", SPLITS)
def test_the_same_seed_gives_the_same_rows_however_they_come_in_blocks(name: str) -> None:
    first = divided(SPLITS[name], blocks())
    assert first.tolist() == divided(SPLITS[name], blocks(size=7)).tolist()
    assert counts(first)[0] > 50
    assert all(counts(first))
    if name != "time.v1":
        assert first.tolist() != divided(SPLITS[name], blocks(), seed=1).tolist()


NUMBERS = np.arange(60) * 7 % 23


@pytest.mark.parametrize("split", [HashSplit("key", 0.3), FoldSplit(2, 3, group="key")])
def test_a_whole_number_is_one_key_however_it_is_written(split: Split) -> None:
    """As a file of text has it, as one of numbers does, and as floats, which is what numbers beside gaps become."""
    as_floats = [Block({"key": NUMBERS[:30]}), Block({"key": NUMBERS[30:].astype(float)}, start=30)]
    forms = [
        blocks(key=[str(number) for number in NUMBERS]),
        blocks(key=[f"{number}.0" for number in NUMBERS]),
        blocks(key=[f"{number:.1e}" for number in NUMBERS]),
        as_floats,
    ]
    found = [split.divide(rows, 0).tolist() for rows in forms]
    assert found == [found[0]] * len(forms)
    assert 0 < sum(found[0]) < len(NUMBERS)


def test_keys_as_they_are_written_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "key_of", lambda text: text)
    with pytest.raises(AssertionError):
        test_a_whole_number_is_one_key_however_it_is_written(HashSplit("key", 0.3))


def test_a_number_that_is_missing_is_no_key() -> None:
    with pytest.raises(DataError, match="leave the row out of the data"):
        HashSplit("key").divide([Block({"key": np.array([1.0, np.nan])})], 0)


@pytest.mark.parametrize("name", SPLITS)
def test_a_share_for_a_test_takes_nothing_from_the_dev_rows(name: str) -> None:
    kind = type(SPLITS[name])
    more = {"hash.v1": {"column": "key"}, "time.v1": {"column": "day"}}.get(name, {})
    with_test, without = divided(kind(dev=0.2, test=0.1, **more), blocks()), divided(kind(dev=0.2, **more), blocks())
    if name == "time.v1":  # the test rows are newer than the dev rows
        assert (with_test == 1).sum() == pytest.approx((without == 1).sum(), abs=8)
    else:
        assert (with_test == 1).tolist() == (without == 1).tolist()


@pytest.mark.parametrize(("n", "dev", "test", "expected"), [(100, 0.1, 0.0, 10), (30, 0.1, 0.2, 3), (19, 0.3, 0.1, 6)])
def test_random_holds_out_exactly_the_share(n: int, dev: float, test: float, expected: int) -> None:
    parts = divided(RandomSplit(dev, test), blocks(n=n))
    assert counts(parts)[1:] == [expected, round(n * test)]


def test_random_draws_every_row_equally_often() -> None:
    times = sum((divided(RandomSplit(0.2), blocks(), seed) == 1).astype(int) for seed in range(500))
    assert abs(times - 100).max() < 5 * np.sqrt(500 * 0.2 * 0.8)


def test_stratified_takes_as_many_of_each_class_as_scikit_learn() -> None:
    labels = ["a"] * 71 + ["b"] * 26 + ["c"] * 13
    found = divided(StratifiedSplit(dev=0.2), blocks(label=labels))
    _, held = next(StratifiedShuffleSplit(1, test_size=22, random_state=0).split(labels, labels))
    for name in "abc":
        ours = sum(label == name and part == 1 for label, part in zip(labels, found, strict=True))
        assert ours == sum(labels[row] == name for row in held)


def test_stratified_never_takes_the_last_row_of_a_class() -> None:
    for seed in range(20):
        parts = divided(StratifiedSplit(0.4, 0.4), blocks(), seed)
        trained_on = {label for label, part in zip(LABELS, parts, strict=True) if part == 0}
        assert trained_on == set(LABELS)


def test_stratified_does_not_depend_on_which_class_comes_first() -> None:
    forwards = divided(StratifiedSplit(0.3), blocks(label=LABELS))
    backwards = divided(StratifiedSplit(0.3), blocks(label=LABELS[::-1]))
    for label in set(LABELS):
        in_order = sum(parts for name, parts in zip(LABELS, forwards, strict=True) if name == label)
        assert in_order == sum(parts for name, parts in zip(LABELS[::-1], backwards, strict=True) if name == label)


def test_stratified_takes_numbers_as_classes() -> None:
    block = Block({"label": np.array([3] * 20 + [7] * 10)})
    split = StratifiedSplit(0.1)
    split.choose(("label",), ("label",))
    parts = split.divide([block], 0)
    assert (parts[:20].sum(), parts[20:].sum()) == (2, 1)


def test_hash_keeps_the_rows_of_a_key_together_in_any_order() -> None:
    keys = [f"user{row % 40}" for row in range(200)]
    parts = divided(HashSplit("key", 0.3, 0.2), blocks(key=keys))
    by_key = dict(zip(keys, parts.tolist(), strict=True))
    assert [by_key[key] for key in keys] == parts.tolist()
    backwards = divided(HashSplit("key", 0.3, 0.2), blocks(key=keys[::-1]))
    assert backwards.tolist() == parts[::-1].tolist()
    # A row that is added moves no other.
    assert divided(HashSplit("key", 0.3, 0.2), blocks(key=["new", *keys]))[1:].tolist() == parts.tolist()


def test_hash_meets_its_share_of_many_keys() -> None:
    parts = divided(HashSplit("key", 0.1, 0.2), blocks(key=[str(row) for row in range(20_000)]))
    assert counts(parts)[1] == pytest.approx(2000, abs=5 * np.sqrt(20_000 * 0.09))
    assert counts(parts)[2] == pytest.approx(4000, abs=5 * np.sqrt(20_000 * 0.16))


@pytest.mark.parametrize(
    "days",
    [
        [str(number) for number in (5, 40, 300, 1, 2, 3, 4, 6, 7, 8)],
        [f"{number}" for number in (0.5, 1e3, 2e3, -1, 0.1, 0.2, 0.3, 0.4, 0.01, 0.02)],
        ["2026-01-31", *(f"2026-{m:02d}-01" for m in (10, 11, 2, 3, 4, 5, 6, 7)), "2025-12-31"],
        ["2026-01-01T09:00", "2026-01-01T10:00", "2026-01-01T10:00:01", *(["2025-01-01"] * 7)],
        ["2026-01-01T09:00Z", "2026-01-01T09:00-02:00", "2026-01-01T09:00-03:00", *(["2026-01-01T09:00+05:00"] * 7)],
    ],
    ids=["whole", "real", "dates", "times", "zones"],
)
def test_time_holds_out_the_newest_rows(days: list[str]) -> None:
    assert divided(TimeSplit("day", dev=0.2), blocks(day=days))[:3].tolist() == [0, 1, 1]
    assert divided(TimeSplit("day", dev=0.1, test=0.1), blocks(day=days))[:3].tolist() == [0, 1, 2]


def test_time_takes_numbers_in_arrays() -> None:
    for dtype in (np.int64, np.float32):
        split = TimeSplit("day", dev=0.25)
        split.choose(("day",), ())
        assert split.divide([Block({"day": np.array([4, 7, 1, 3], dtype)})], 0).tolist() == [0, 1, 0, 0]


def test_rows_of_one_time_go_to_the_newer_part_together() -> None:
    days = ["1", "2", "2", "2", "3", "3", "0", "0", "0", "0"]
    assert divided(TimeSplit("day", dev=0.2, test=0.1), blocks(day=days)).tolist() == [0, 1, 1, 1, 2, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RandomSplit(0), "dev: must be a share of the rows, above 0 and below 1, such as 0.1, got 0"),
        (lambda: RandomSplit(float("nan")), "dev: must be a share"),
        (lambda: RandomSplit(100), "dev: must be a share of the rows, above 0 and below 1, such as 0.1, got 100"),
        (lambda: StratifiedSplit(0.1, -0.1), "test: must be a share of the rows, at least 0 and below 1"),
        (lambda: HashSplit("key", 0.5, 0.5), "test: dev and test leave no rows to train on: 0.5 + 0.5"),
        (lambda: TimeSplit("day", 1.0), "dev: must be a share"),
    ],
)
def test_a_share_that_is_none_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(ArgumentError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("split", "rows", "said"),
    [
        (HashSplit("kye"), {}, 'column: no column is called "kye". Did you mean "key"?'),
        (TimeSplit("dy"), {}, 'column: no column is called "dy". Did you mean "day"?'),
        (StratifiedSplit(column="labl"), {}, 'column: no column is called "labl". Did you mean "label"?'),
        (
            HashSplit("key"),
            {"key": ["a", "", "b"]},
            "rows.csv:3: key: the key of the split is empty: write one there, its own for a row",
        ),
        (
            TimeSplit("day"),
            {"day": ["2026-01-01", "2026-13-01", "soon"]},
            "rows.csv:3: day: expected a date as 2026-03-31 or 2026-03-31T09:30, as in the first row, got "
            '"2026-13-01"\nrows.csv:4: day: expected a date',
        ),
        (TimeSplit("day"), {"day": ["7", "nan"]}, "rows.csv:3: day: expected a number, as in the first row"),
        (
            TimeSplit("day"),
            {"day": ["2026-01-01T09:30+01:00", "2026-01-01T09:30"]},
            "rows.csv:3: day: expected a date with a zone",
        ),
        (
            StratifiedSplit(),
            {"label": [str(row) for row in range(50)]},
            'column: "label" has 50 different values in 50 rows, which are no classes: name another column, or take '
            "random.v1",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(split: Split, rows: dict[str, list[str]], said: str) -> None:
    with pytest.raises(DataError) as caught:
        divided(split, blocks(**rows))
    assert said in str(caught.value)


def test_a_column_of_lists_is_refused() -> None:
    with pytest.raises(DataError, match="a split takes one text or number a row"):
        HashSplit("key").divide([Block({"key": np.zeros((3, 2))}, Places("rows.npz"))], 0)


def test_stratified_without_a_column_needs_one_target() -> None:
    with pytest.raises(DataError, match="column: the target is no single column: name the one whose classes count"):
        StratifiedSplit().choose(("a", "b"), ("a", "b"))


def folds_of(column: str | None = None, group: str | None = None, size: int = 30) -> list[Parts]:
    return [divided(FoldSplit(fold, 4, column, group), blocks(size)) for fold in range(1, 5)]


@pytest.mark.parametrize("how", [{}, {"column": "label"}, {"group": "key"}])
def test_every_row_is_held_out_in_one_fold(how: dict[str, str]) -> None:
    assert (np.sum(folds_of(**how), axis=0) == 1).all()
    for one, other in zip(folds_of(**how), folds_of(**how, size=7), strict=True):
        assert one.tobytes() == other.tobytes()


def test_folds_have_every_class_in_proportion() -> None:
    labels = np.array(LABELS)
    for parts in folds_of("label"):
        held = labels[parts == 1]
        assert all(abs((held == label).sum() - LABELS.count(label) / 4) < 1 for label in set(LABELS))
    assert [int(parts.sum()) for parts in folds_of()] == [25] * 4


def test_folds_keep_groups_together() -> None:
    keys = np.array([f"k{row % 17}" for row in range(100)])
    for parts in folds_of(group="key"):
        assert not set(keys[parts == 1]) & set(keys[parts == 0])
    apart = [set(keys[parts == 1]) & set(keys[parts == 0]) for parts in folds_of()]
    assert any(apart)  # the check sees folds that take no care


def sizes_of_groups(sizes: list[int], folds: int) -> list[int]:
    """How many rows each fold holds out of groups with so many rows each, which come in this order."""
    keys = [f"k{group}" for group, size in enumerate(sizes) for _ in range(size)]
    rows = [Block({"key": keys}, Places("rows.csv", range(2, 2 + len(keys))))]
    return [int(divided(FoldSplit(fold, folds, group="key"), rows).sum()) for fold in range(1, folds + 1)]


def test_groups_are_dealt_out_the_largest_first_by_hand() -> None:
    assert sizes_of_groups([1, 1, 2, 3, 5], 2) == [6, 6]  # 5 | 3, 2 | 1, 1
    assert sizes_of_groups([2, 2, 2, 3, 3], 2) == [7, 5]  # 3, 2, 2 | 3, 2
    assert sizes_of_groups([1, 1, 1, 1, 4, 4], 3) == [4, 4, 4]


def test_groups_dealt_out_the_smallest_first_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "sorted", lambda groups, key: sorted(groups, key=key, reverse=True), raising=False)
    with pytest.raises(AssertionError):
        test_groups_are_dealt_out_the_largest_first_by_hand()
