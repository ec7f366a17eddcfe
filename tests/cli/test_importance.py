"""Permutation importance: the score falls where the model leans on a column."""

import json

import pytest
from commands import call

from trainer_cli import importance
from trainer_cli.data.block import Block, Places


def write(path, n=400):
    """`a` decides, `b` says the same of every tenth row, `c` is noise."""
    lines = ["a,b,c,label"]
    for i in range(n):
        a = ((i * 37) % 100) / 50 - 1
        lines.append(f"{a:.2f},{a if i % 10 == 0 else (i * 7 % 11) / 5 - 1:.2f},{(i * 13 % 17) / 8 - 1:.2f},{a > 0}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def run(folder):
    write(folder / "train.csv")
    write(folder / "dev.csv", 200)
    call("train", "run.cfg", "-o", "run", "--training.max_steps=200")
    return folder


def found(*words):
    return json.loads(call("evaluate", "run", "--importance", "--json", *words).stdout)["importance"]


def test_the_column_that_decides_comes_first_and_noise_costs_nothing(run):
    columns = {each["column"]: each for each in found()["columns"]}
    assert next(iter(columns)) == "a"
    assert columns["a"]["fall"] > 0.3
    assert abs(columns["c"]["fall"]) < 0.05
    assert all(0 <= each["deviation"] < 0.1 for each in columns.values())


def test_the_fall_is_that_of_scores_of_shuffled_files(run):
    """By hand: the score of a file whose column `a` is in another order."""
    whole = found()
    lines = (run / "dev.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    falls = []
    for shuffle in range(importance.N_SHUFFLES):
        order = importance.generator(0, "importance", "a", shuffle).permutation(len(rows))
        shuffled = [",".join([rows[j][0], *row[1:]]) for j, row in zip(order, rows, strict=True)]
        (run / "shuffled.csv").write_text("\n".join([lines[0], *shuffled]) + "\n")
        score = json.loads(call("evaluate", "run", "shuffled.csv", "--json").stdout)["accuracy"]
        falls.append(whole["value"] - score)
    first = whole["columns"][0]
    assert first["fall"] == pytest.approx(sum(falls) / len(falls), abs=1e-12)
    squares = sum((fall - first["fall"]) ** 2 for fall in falls)
    assert first["deviation"] == pytest.approx((squares / (len(falls) - 1)) ** 0.5, abs=1e-12)
    assert squares > 0


def test_the_table_fits_and_the_same_call_says_the_same(run):
    text = call("evaluate", "run", "--importance").stdout
    assert "worse with a column shuffled" in text
    assert found() == found()


def test_a_name_that_looks_like_markup_stays_as_it_is(run):
    for name in ("train", "dev"):
        text = (run / f"{name}.csv").read_text().replace("a,b,c,label", "[bold]a,[z],c,label", 1)
        (run / f"{name}.csv").write_text(text)
    call("train", "run.cfg", "-o", "named", "--training.max_steps=50")
    text = call("evaluate", "named", "--importance").stdout
    assert "[bold]a" in text
    assert "[z]" in text


def test_only_so_many_rows_are_taken():
    class Reader:
        def columns(self):
            return ("a",)

        def blocks(self):
            for start in range(0, 30, 10):
                yield Block(
                    {"a": [str(i) for i in range(start, start + 10)]}, Places("f", range(start, start + 10)), start
                )

    assert importance.some_rows(Reader(), 10).columns["a"] == [str(i) for i in range(0, 30, 3)]
    assert importance.some_rows(Reader(), 29).columns["a"] == [str(i) for i in range(0, 30, 2)]
    assert importance.some_rows(Reader(), 1000).columns["a"] == [str(i) for i in range(30)]


def test_words_change_places_with_those_of_all_sentences():
    rows = [["a"], ["b", "c"], ["d"], [], ["e", "f"], ["g"]]
    found = [importance.shuffled_values(rows, importance.generator(0, "x", i)) for i in range(20)]
    assert len({str(values) for values in found}) > 15
    for values in found:
        assert [len(row) for row in values] == [len(row) for row in rows]
        assert sorted(item for row in values for item in row) == list("abcdefg")


def test_rows_count_by_their_weight(run):
    text = (run / "dev.csv").read_text().splitlines()
    rows = [f"{line},{0 if i % 2 else 3}" for i, line in enumerate(text[1:])]
    for name in ("train", "dev"):
        (run / f"{name}.csv").write_text("\n".join([f"{text[0]},w", *rows]) + "\n")
    call("train", "run.cfg", "-o", "weighed", "--training.max_steps=20", "--training.weight_column=w")
    found = json.loads(call("evaluate", "weighed", "--importance", "--json").stdout)
    assert found["importance"]["value"] == found["accuracy"]
