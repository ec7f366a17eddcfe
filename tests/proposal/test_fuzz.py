"""Tables of every kind of mess: each is refused in a sentence, or gives a config that a run would begin with."""

import csv
import random

import pytest

from trainer_cli import inspection
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import TrainerError
from trainer_cli.proposal import proposal, survey

KINDS = {
    "number": lambda draw, i: f"{draw.gauss(0, 1):.3f}",
    "large": lambda draw, i: draw.randint(0, 10**12),
    "constant": lambda draw, i: "k",
    "count": lambda draw, i: i,
    "category": lambda draw, i: draw.choice("abcde"),
    "categories": lambda draw, i: f"c{draw.randint(0, 100)}",
    "name": lambda draw, i: f"n{draw.random()}",
    "short": lambda draw, i: f"{draw.choice(['Mr', 'Ms'])} N{draw.randint(0, 10**6)}",
    "text": lambda draw, i: " ".join(draw.choice(["foo", "bar", "baz", str(i)]) for _ in range(draw.randint(1, 12))),
    "date": lambda draw, i: f"20{draw.randint(10, 24)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
    "unclear": lambda draw, i: f"{draw.randint(1, 12)}/{draw.randint(1, 28)}/2024",
    "day": lambda draw, i: f"{draw.randint(1, 28)}.{draw.randint(1, 12)}.2024",
    "time": lambda draw, i: f"2024-01-{draw.randint(1, 28):02} {draw.randint(0, 23):02}:15",
    "zip": lambda draw, i: f"{draw.randint(0, 99):05}",
    "money": lambda draw, i: f"${draw.randint(1, 9)},000",
    "truth": lambda draw, i: draw.choice(["yes", "no"]),
    "mixed": lambda draw, i: draw.choice([*range(11), "?x"]),
    "empty": lambda draw, i: "",
    "labels": lambda draw, i: "|".join(draw.sample("abc", draw.randint(1, 3))),
    "infinite": lambda draw, i: draw.choice(["1", "inf", "2"]),
    "year": lambda draw, i: draw.randint(1990, 2020),
}
TARGETS = ("category", "number", "year", "truth", "labels", "categories", "text", "mixed")


def write_mess(path, seed):
    draw = random.Random(seed)
    kinds, target = draw.choices(list(KINDS), k=draw.randint(1, 7)), draw.choice(TARGETS)
    n, gap = draw.choice([4, 12, 15, 30, 80, 300]), draw.choice([0, 0, 0.1, 0.5, 0.95])
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*(f"{kind}{place}" for place, kind in enumerate(kinds)), "label"])
        for i in range(n):
            values = ["" if draw.random() < gap else KINDS[kind](draw, i) for kind in kinds]
            rows.writerow([*values, KINDS[target](draw, i)])


def proposed(path):
    """The config's text, or the error that refuses the data."""
    try:
        return proposal.config_text(survey.survey(path)), None
    except TrainerError as err:
        return "", err


@pytest.mark.parametrize("seed", range(60))
def test_a_config_that_is_written_is_one_that_a_run_would_begin_with(tmp_path, monkeypatch, seed):
    monkeypatch.chdir(tmp_path)
    write_mess("mess.csv", seed)
    text, error = proposed(tmp_path / "mess.csv")
    if error:
        assert "\n" not in str(error)
        return
    assert len(text.splitlines()) < 60
    (tmp_path / "mess.cfg").write_text(text)
    inspection.inspect(read_run_config("mess.cfg"))


def test_most_of_the_messes_are_not_refused(tmp_path):
    n_written = 0
    for seed in range(60):
        write_mess(tmp_path / "mess.csv", seed)
        n_written += bool(proposed(tmp_path / "mess.csv")[0])
    assert n_written > 30


def test_the_check_sees_a_column_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mess.csv").write_text("a,b,label\n" + "".join(f"{i % 7},x{i},{i % 2}\n" for i in range(40)))
    text = proposal.config_text(survey.survey(tmp_path / "mess.csv")).replace('columns = ["a"]', 'columns = ["a", "b"]')
    (tmp_path / "mess.cfg").write_text(text)
    with pytest.raises(TrainerError, match="the column holds text"):
        inspection.inspect(read_run_config("mess.cfg"))
