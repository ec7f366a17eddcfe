"""Every row is held out once, in runs of their own that can be stopped and gone on with."""

import json
import os
import statistics

import pytest
from commands import call

from trainer_cli.data.splits.fold import FoldSplit
from trainer_cli.storage import replace_file

SHORT = ("--training.max_steps=14", "--folds", "3")


def cross_validate(*words, **more):
    return call("cross-validate", "run.cfg", "--output", "folds", *SHORT, *words, **more)


def scores(folder):
    return json.loads((folder / "folds" / "folds.json").read_text())


def test_the_table_has_the_mean_and_spread_of_the_folds(folder):
    found = json.loads(cross_validate("--json").stdout)
    assert found == scores(folder)
    values = [fold["accuracy"] for fold in found["folds"]]
    assert len(values) == 3
    assert found["scores"]["accuracy"] == {
        "mean": statistics.fmean(values),
        "deviation": statistics.stdev(values),
        "low": min(values),
        "high": max(values),
    }


def test_each_fold_is_a_run_of_its_own_on_rows_of_its_own(folder):
    text = cross_validate().stdout
    assert "accuracy" in text
    assert "mean" in text
    n = [json.loads(call("evaluate", f"folds/fold-{fold}", "--json").stdout)["n"] for fold in (1, 2, 3)]
    assert sorted(n) == [7, 8, 8]  # of 23 rows


def test_a_second_call_goes_on_or_begins_anew_but_never_by_itself(folder):
    first = cross_validate("--json").stdout
    assert "--resume" in cross_validate(code=5).stderr
    assert cross_validate("--resume", "--json").stdout == first
    assert cross_validate("--overwrite", "--json").stdout == first
    assert (folder / "folds" / "fold-1" / ".old-1").is_dir()


def test_folds_that_were_not_begun_are_trained_by_resume(folder):
    whole = cross_validate("--json").stdout
    for fold in (2, 3):
        (folder / "folds" / f"fold-{fold}").rename(folder / f"moved-{fold}")
    replace_file(folder / "folds" / "folds.json", b"{}")
    assert cross_validate("--resume", "--json").stdout == whole


def test_another_number_of_folds_is_told(folder):
    cross_validate()
    result = call(
        "cross-validate", "run.cfg", "--output", "folds", "--training.max_steps=14", "--folds=4", "--resume", code=2
    )
    assert "data.split.folds: was 3, is 4" in result.stderr


def with_rows(folder, *rows):
    (folder / "train.csv").write_text("a,b,label\n" + "".join(f"{row}\n" for row in rows))


def refused(*words):
    result = call("cross-validate", "run.cfg", "--output", "folds", "--training.max_steps=14", *words, code=2)
    assert not os.path.lexists("folds")
    return result.stderr


def test_more_folds_than_rows_are_told_before_one_is_trained(folder):
    assert "--folds 24: the data have 23 rows, and each fold holds out at least one" in refused("--folds", "24")


def test_more_folds_than_groups_are_told(folder):
    with_rows(folder, *(f"{i % 2},{i},{'yes' if i % 4 < 2 else 'no'}" for i in range(12)))
    split = '[data.split]\n@splits = "hash.v1"\ncolumn = "a"\n\n'
    text = (folder / "run.cfg").read_text()
    start, end = text.index("[data.dev]"), text.index("[", text.index("[data.dev]") + 1)
    (folder / "run.cfg").write_text(text[:start] + split + text[end:])
    assert '--folds 3: the data have 2 groups of rows by "a"' in refused("--folds", "3")


def test_a_class_that_one_fold_would_hold_out_whole_is_told(folder):
    with_rows(folder, *(f"{i},{i},{'yes' if i % 2 else 'no'}" for i in range(12)), "3,4,maybe")
    assert 'all rows of the class "maybe" would be held out at once' in refused("--folds", "3")


def test_a_folder_of_others_is_left_alone(folder):
    (folder / "folds").mkdir()
    (folder / "folds" / "notes.txt").write_text("mine")
    assert "holds no folds of ours" in cross_validate("--overwrite", code=5).stderr
    assert [path.name for path in (folder / "folds").iterdir()] == ["notes.txt"]


def test_a_mistake_is_told_before_anything_is_written(folder):
    assert "nosuch" in cross_validate("--target.column=nosuch", code=2).stderr
    assert not (folder / "folds" / "fold-1" / "checkpoints").exists()


def test_folds_of_times_are_refused(folder):
    config = (folder / "run.cfg").read_text()
    dev = config.index("[data.dev]")
    rest = config[config.index("[target]") :]
    (folder / "run.cfg").write_text(config[:dev] + '[data.split]\n@splits = "time.v1"\ncolumn = "a"\n\n' + rest)
    assert "newer than those held out" in cross_validate(code=2).stderr


def test_groups_stay_together(folder):
    rows = (folder / "train.csv").read_text().splitlines()
    lines = [f"{rows[0]},who", *(f"{row},p{i % 6}" for i, row in enumerate(rows[1:]))]
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    config = (folder / "run.cfg").read_text()
    dev, rest = config.index("[data.dev]"), config[config.index("[target]") :]
    split = '[data.split]\n@splits = "hash.v1"\ncolumn = "who"\n\n'
    split += '[features]\n@encoders = "columns.v1"\ncolumns = ["a", "b"]\n\n'
    (folder / "run.cfg").write_text(config[:dev] + split + rest)
    cross_validate()
    n = [json.loads(call("evaluate", f"folds/fold-{fold}", "--json").stdout)["n"] for fold in (1, 2, 3)]
    assert sum(n) == 23


@pytest.mark.parametrize(("fold", "folds", "words"), [(0, 3, "fold"), (4, 3, "fold"), (1, 1, "folds")])
def test_a_fold_is_one_of_several(fold, folds, words):
    with pytest.raises(Exception, match=words):
        FoldSplit(fold, folds)
