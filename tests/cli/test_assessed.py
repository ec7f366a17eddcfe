"""What `trainer evaluate` tells beside the scores: tables, mistakes, JSON and a picture."""

import json
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from commands import call, train

from trainer_cli.class_counts import ClassCounts, ClassScore
from trainer_cli.cli import assessed
from trainer_cli.cli.assessed import class_table, confusion, confusion_table, mistake_lines
from trainer_cli.mistakes import Mistake


@pytest.fixture
def run(folder):
    train("--quiet")
    return folder / "run"


def found(*words):
    return json.loads(call("evaluate", *words, "--json").stdout)


def predicted(run):
    lines = call("predict", run, "dev.csv", "--format", "jsonl").stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_json_has_each_class_and_what_is_confused(run):
    told, rows = found(run), predicted(run)
    labels = ["no", "yes"]
    assert told["confusion"]["labels"] == labels
    expected = [[sum((r["label"], r["prediction"]) == (i, j) for r in rows) for j in labels] for i in labels]
    assert told["confusion"]["counts"] == expected
    yes = told["per_class"]["yes"]
    assert yes["support"] == sum(row["label"] == "yes" for row in rows)
    assert yes["recall"] == pytest.approx(expected[1][1] / yes["support"])
    assert list(yes) == ["precision", "recall", "f1", "support"]
    assert "errors" not in told


def test_errors_are_the_wrong_rows_by_their_probability(run, folder):
    wrong = [(row["score"], i) for i, row in enumerate(predicted(run)) if row["label"] != row["prediction"]]
    errors = found(run, "dev.csv", "--errors", 3)["errors"]
    assert len(wrong) > 3
    expected = sorted(wrong, key=lambda pair: -pair[0])[:3]
    assert [(round(each["score"], 6), each["row"]) for each in errors] == expected
    lines = (folder / "dev.csv").read_text().splitlines()
    for each in errors:
        a, b, label = lines[each["line"] - 1].split(",")
        assert (each["file"], each["truth"], each["excerpt"]) == ("dev.csv", label, f"a={a} b={b}")
        assert each["prediction"] != label


def test_the_tables_show_them_too(run):
    text = call("evaluate", run, "dev.csv", "--errors", 2).stdout
    told = found(run, "dev.csv", "--errors", 2)
    yes = told["per_class"]["yes"]
    assert f"yes       {yes['precision']:.4f}   {yes['recall']:.4f}   {yes['f1']:.4f}        {yes['support']}" in text
    assert "confusion (true classes down, predictions across)" in text
    first = told["errors"][0]
    assert f"true {first['truth']}, predicted {first['prediction']}  dev.csv:{first['line']}" in text
    assert first["excerpt"] in text
    assert "worst mistakes" not in call("evaluate", run).stdout


def test_they_go_to_a_file_as_well(run, folder):
    call("evaluate", run, "--errors", 1, "--output", "all.json")
    told = json.loads((folder / "all.json").read_text())
    assert {"per_class", "confusion", "errors"} <= told.keys()


NUMBERS = """
[data.train]
@readers = "csv.v1"
path = "line.csv"

[target]
@encoders = "numbers.v1"
column = "y"

[model]
@layers = "Linear.v1"

[loss]
@losses = "MeanSquaredError.v1"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.1

[metrics.median]
@metrics = "median_error.v1"

[metrics.rank]
@metrics = "spearman.v1"

[training]
max_steps = 30
"""


def test_numbers_have_mistakes_in_their_unit_and_no_classes(folder):
    rows = [f"{x},{100 * x + (500 if x == 7 else 0)}" for x in range(20)]
    (folder / "line.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    (folder / "line.cfg").write_text(NUMBERS)
    call("train", "line.cfg", "--output", "line", "--quiet")
    told = found("line", "line.csv", "--errors", 1)
    assert "per_class" not in told
    (first,) = told["errors"]
    assert (first["line"], first["truth"], first["excerpt"]) == (9, 1200.0, "7")
    assert first["error"] == pytest.approx(abs(first["truth"] - first["prediction"]), rel=1e-5)
    text = call("evaluate", "line", "line.csv", "--errors", 1).stdout
    assert f"true 1200, predicted {first['prediction']:g}  line.csv:9" in text
    said = call("evaluate", "line", "line.csv", "--picture", "c.svg", code=2).stderr
    assert said == "--picture draws which class was taken for which, the target is numbers.v1: leave it out\n"


def test_a_picture_has_the_counts(run, folder):
    pytest.importorskip("matplotlib")
    call("evaluate", run, "--picture", "c.svg")
    call("evaluate", run, "--picture", "c.png")
    first = (folder / "c.svg").read_bytes()
    texts = [
        "".join(each.itertext()).strip() for each in ElementTree.fromstring(first).iter() if each.tag[-4:] == "text"
    ]
    counts = [str(count) for row in found(run)["confusion"]["counts"] for count in row if count]
    assert {"no", "yes", "true", "predicted", *counts} <= set(texts)
    assert (folder / "c.png").read_bytes()[:4] == b"\x89PNG"
    call("evaluate", run, "--picture", "c.svg")
    assert (folder / "c.svg").read_bytes() == first


@pytest.mark.parametrize(
    ("path", "said"),
    [("c.gif", "--picture c.gif: name a file that ends in .svg or .png"), ("nix/c.svg", "the folder nix is not there")],
)
def test_a_picture_that_cannot_be_is_refused_first(run, path, said):
    assert said in call("evaluate", run, "--picture", path, code=2).stderr


def test_of_several_sets_each_is_told_under_its_name(folder):
    text = (folder / "run.cfg").read_text()
    both = text.replace("[data.dev]", "[data.dev.one]")
    block = text[text.index("[data.dev]") : text.index("[target]")].replace("[data.dev]", "[data.dev.two]")
    (folder / "run.cfg").write_text(both.replace("[target]", f"{block}[target]"))
    train("--quiet")
    told = found("run", "--errors", 1)
    assert told["one.per_class"] == told["two.per_class"]
    assert told["one.errors"] == told["two.errors"]
    assert "two: worst mistakes" in call("evaluate", "run", "--errors", 1).stdout
    said = call("evaluate", "run", "--picture", "c.svg", code=2).stderr
    assert said == "--picture c.svg: draws one set, the run has one, two: name a data file\n"


TAGS = """
[data.train]
@readers = "conll.v1"
path = "words.conll"

[data.dev]
@readers = "conll.v1"
path = "words.conll"

[features]
@encoders = "tokens.v1"

[target]
@encoders = "tags.v1"

[model]
@layers = "tagger.v1"
width = 8
depth = 1

[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.01

[metrics.spans]
@metrics = "spans.v1"

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = 2
"""


def test_tags_are_counted_by_token_and_spans_by_their_names(folder):
    sentences = ["Anna B-PER\nsees O\nRome B-LOC", "Rome B-LOC", "Peter B-PER\nPan I-PER\nsleeps O"]
    (folder / "words.conll").write_text("\n\n".join(sentences * 4) + "\n")
    (folder / "tags.cfg").write_text(TAGS)
    call("debug-config", "tags.cfg")
    call("train", "tags.cfg", "--output", "tags", "--quiet")
    told = found("tags", "--errors", 20)
    assert {name: each["support"] for name, each in told["per_class"].items()} == {
        "B-LOC": 8,
        "B-PER": 8,
        "I-PER": 4,
        "O": 8,
    }
    assert sum(map(sum, told["confusion"]["counts"])) == 28
    n_right = sum(row[k] for k, row in enumerate(told["confusion"]["counts"]))
    assert told["accuracy"] == n_right / 28
    for each in told["errors"]:
        assert f"[{sentences[each['row'] % 3].splitlines()[each['token'] - 1].split()[0]}]" in each["excerpt"]


LABELS = """
[data.train]
@readers = "jsonl.v1"
path = "several.jsonl"

[target]
@encoders = "multilabel.v1"
column = "tags"

[model]
@layers = "Linear.v1"

[loss]
@losses = "BinaryCrossentropy.v1"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.05

[metrics.f]
@metrics = "multilabel_f.v1"
threshold = "best"

[training]
max_steps = 20
"""


def test_labels_are_told_one_by_one_and_a_threshold_is_found(folder):
    rows = [{"x": x, "tags": ["low"] * (x < 8) + ["high"] * (x > 5)} for x in range(14)]
    (folder / "several.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "several.cfg").write_text(LABELS)
    call("train", "several.cfg", "--output", "several", "--quiet")
    told = found("several", "several.jsonl", "--errors", 28)
    assert {name: each["support"] for name, each in told["per_class"].items()} == {"high": 8, "low": 8}
    assert "confusion" not in told
    assert 0 <= told["f_threshold"] <= 1
    sizes = [each["score"] for each in told["errors"]]
    assert sizes == sorted(sizes, reverse=True)
    assert all(each["truth"] == (each["label"] in rows[each["row"]]["tags"]) for each in told["errors"])


def counts_of(names, seed=0, n=2000):
    rng = np.random.default_rng(seed)
    counts = ClassCounts(names)
    true = rng.integers(0, len(names), n)
    counts.add(true, np.where(rng.random(n) < 0.8, true, rng.integers(0, len(names), n)))
    return counts


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("n", [2, 10, 20, 300])
@pytest.mark.parametrize("length", [1, 12, 90])
def test_tables_keep_to_the_width(width, n, length):
    names = [f"{'x' * (length - 3)}{i:03d}"[-length:] if length > 2 else chr(65 + i) for i in range(n)]
    counts = counts_of(names)
    for heading, lines in (confusion_table(counts, width), class_table(counts.by_class(), width)):
        assert len(heading) <= 60
        assert max(map(len, lines)) <= width, "\n".join(lines)


def test_long_names_are_told_by_letters():
    _, lines = confusion_table(counts_of(["apple", "pear"], n=20), 60)
    counts = counts_of(["apple", "pear"], n=20).matrix([0, 1])
    assert lines[0].split() == ["a", "b"]
    assert lines[1].split() == ["a", "apple", *(str(int(count)) if count else "." for count in counts[0])]


def test_of_many_classes_the_most_confused_are_shown_with_what_is_left_out():
    counts = counts_of([f"c{i}" for i in range(50)])
    _, lines = confusion_table(counts, 100)
    chosen = set(counts.most_confused(20))
    inside = sum(count for (i, j), count in counts.cells.items() if i != j and {i, j} <= chosen)
    assert lines[-2] == "  the 20 most confused of 50 classes;"
    assert lines[-1] == f"  {inside:.0f} of {counts.n_wrong:.0f} mistakes are among them"
    assert len(lines) == 23


def test_of_many_classes_those_with_the_lowest_f1_are_shown():
    scores = [ClassScore(f"c{i}", 0.5, 0.5, i / 100, 7) for i in range(100)]
    heading, lines = class_table(scores, 80)
    assert heading == "the 40 of 100 classes with the lowest F1 (--json tells all)"
    assert [line.split()[0] for line in lines[1:]] == [f"c{i}" for i in range(40)]


def test_what_is_not_defined_is_not_0():
    nothing = ClassScore("a", math.nan, math.nan, math.nan, 0)
    assert class_table([nothing], 80)[1][1].split() == ["a", "n/a", "n/a", "n/a", "0"]
    assert assessed.class_entry(nothing) == {"precision": None, "recall": None, "f1": None, "support": 0}


def test_a_matrix_of_very_many_classes_is_told_by_its_cells():
    counts = ClassCounts([f"c{i}" for i in range(1000)])
    counts.add(np.array([3, 3, -1]), np.array([3, 999, 4]))
    assert confusion(counts)["cells"] == [(-1, 4, 1), (3, 3, 1), (3, 999, 1)]
    few = ClassCounts(["a", "b"])
    few.add(np.array([0, -1]), np.array([1, 1]), np.array([0.5, 2.0]))
    assert confusion(few) == {"labels": ["a", "b"], "counts": [[0, 0.5], [0, 0]], "unknown": [0, 2]}
    assert confusion_table(few, 60)[1][-1].split() == ["(unknown)", ".", "2"]


def test_a_mistake_is_two_lines_that_no_record_can_break():
    flag = Mistake("a.csv", 7, 5, True, False, 0.987654, "text\x1b[2J " * 20, label="sport\n")
    first, second = mistake_lines(flag, 60)
    assert first == "    0.9877  sport\\n: yes, predicted no  a.csv:7"
    assert len(second) <= 60
    assert "\x1b" not in second
    image = Mistake("x/1.png", 0, 3, "a", "b", math.nan, "")
    assert mistake_lines(image, 60) == ["       n/a  true a, predicted b  x/1.png row 3"]
    assert mistake_lines(image, 40) == ["       n/a  true a, predicted b", "            x/1.png row 3"]


def test_headings_are_names_or_letters_whatever_the_counts_are():
    few, many = ({"n": n} for n in (20, 200_000))
    heads = [confusion_table(counts_of(["berlin", "rome"], **each), 60)[1][0].split() for each in (few, many)]
    assert heads == [["a", "b"], ["a", "b"]]
