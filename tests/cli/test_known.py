"""Categories that the model does not know at all are told; truth values are known however a format spells them."""

import json

import pytest
from commands import call

KINDS = """
[features]
@encoders = "columns.v1"

[features.*.numbers]
@encoders = "numbers.v1"
columns = ["a"]

[features.*.kinds]
@encoders = "categories.v1"
columns = ["flag", "place"]

[model]"""


@pytest.fixture
def rows(folder):
    """A model of a flag that decides, trained on a table as pandas writes it; and its rows."""
    rows = [{"a": i % 7, "flag": i % 3 == 0, "place": "xy"[i % 2], "label": f"l{int(i % 3 == 0)}"} for i in range(120)]
    text = "a,flag,place,label\n" + "".join(f"{r['a']},{r['flag']},{r['place']},{r['label']}\n" for r in rows)
    (folder / "train.csv").write_text(text)
    (folder / "dev.csv").write_text(text)
    config = (folder / "run.cfg").read_text().replace("csv.v1", "auto.v1").replace("\n[model]", KINDS)
    (folder / "run.cfg").write_text(config)
    call("train", "run.cfg", "-o", "run", "--quiet", "--training.max_steps=60")
    return rows


def write(path, rows, **more):
    path.write_text("".join(json.dumps({**row, **more}) + "\n" for row in rows))


def score(*words):
    return json.loads(call("evaluate", "run", *words, "--json", "--quiet").stdout)["accuracy"]


def test_truth_values_mean_the_same_in_json_as_in_the_table_of_training(rows, folder):
    write(folder / "same.jsonl", rows)
    assert score("same.jsonl") == score("dev.csv") == 1
    assert "knows no value" not in call("evaluate", "run", "same.jsonl").stderr


def test_a_column_without_any_known_value_is_told_but_not_quietly(rows, folder):
    write(folder / "other.jsonl", rows, flag="yes")
    told = 'the model knows no value that the column "flag" has here; it was trained on "False", "True"\n'
    for command in ("evaluate", "predict"):
        assert call(command, "run", "other.jsonl").stderr.endswith(told), command
        assert told not in call(command, "run", "other.jsonl", "--quiet").stderr
    rows[-1]["flag"] = "nix"
    write(folder / "some.jsonl", rows)
    assert "knows no value" not in call("predict", "run", "some.jsonl").stderr
