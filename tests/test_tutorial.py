"""Every command of docs/tutorial.md shows what the page says. `python scripts/tutorial.py` writes the page anew."""

import doctest
import functools
import re

import pytest
import tutorial
from tutorial import Done, Shown, alike, commands, difference, rewritten

PAGE = tutorial.PAGE.read_text(encoding="utf-8")
SHOWN = commands(PAGE)
NAMES = [f"{index}-{' '.join(shown.command.split()[:2])}" for index, shown in enumerate(SHOWN)]
TRAINING = [
    "EPOCH    STEP TRAIN LOSS DEV LOSS ACCURACY     RATE  BATCH  SECONDS",
    "    8      52     0.8513   0.3593   0.8000   0.0024     32      0.1 *",
    "   15     104     0.0796   0.0405   0.9857    0.003     32      0.2 *",
    "   23     156     0.0127   0.0469   0.9857    0.003     32      0.3",
    "Finished (patience) after step 572. Best accuracy 0.9857 at step 104.",
]
CONFUSION = "  a Adelie    32  .  ."


@functools.cache
def done():
    return tutorial.run_all(SHOWN)


@pytest.mark.parametrize("index", range(len(SHOWN)), ids=NAMES)
def test_command_shows_what_the_page_says(index):
    assert difference(SHOWN[index], done()[index]) == ""


@pytest.mark.parametrize("index", [index for index, shown in enumerate(SHOWN) if shown.lines], ids=str)
def test_a_missing_line_of_the_page_is_seen(index):
    shown = SHOWN[index]
    for at, line in enumerate(shown.lines):
        left = Shown(shown.command, shown.lines[:at] + shown.lines[at + 1 :])
        beside_a_cut = {tutorial.LEFT_OUT, tutorial.CTRL_C} & {*shown.lines[max(0, at - 1) : at + 2]}
        assert beside_a_cut or difference(left, done()[index]), line


@pytest.mark.parametrize("name", ["penguins", "reviews"])
def test_a_changed_score_of_the_page_is_seen(name):
    index = next(n for n, shown in enumerate(SHOWN) if f"trainer evaluate out/{name}" in shown.command)
    accuracy = next(line for line in SHOWN[index].lines if line.startswith("  accuracy"))
    better = re.sub(r"\d\.\d+", lambda found: f"{float(found[0]) - 0.05:.4f}", accuracy)
    planted = Shown(SHOWN[index].command, tuple(better if line == accuracy else line for line in SHOWN[index].lines))
    assert "accuracy" in difference(planted, done()[index])


def test_stopped_run_ends_as_the_one_that_was_not_stopped():
    ends = [done()[index].lines[-1] for index, shown in enumerate(SHOWN) if "trainer train reviews" in shown.command]
    whole, stopped, resumed = (line.split(" Next: ")[0] for line in ends)
    assert whole == resumed != stopped


def test_writing_a_true_page_changes_no_line_that_is_compared():
    written = commands(rewritten(PAGE, done()))
    assert [shown.command for shown in written] == [shown.command for shown in SHOWN]
    for before, after in zip(SHOWN, written, strict=True):
        assert len(before.lines) == len(after.lines)
        assert all(map(alike, before.lines, after.lines))


def test_page_is_short_and_linked_from_the_readme():
    assert len(PAGE.splitlines()) < 200
    first = (tutorial.ROOT / "README.md").read_text(encoding="utf-8").split("\n## Commands")[0]
    assert "(docs/tutorial.md)" in first


def test_losses_seconds_stars_and_steps_may_differ():
    other = [
        "EPOCH    STEP TRAIN LOSS DEV LOSS ACCURACY     RATE  BATCH  SECONDS",
        "    8      52     0.8613   0.3693   0.8143   0.0024     32     10.1 *",
        "   15     104     0.0896   0.0505   0.9714    0.003     32     10.2 *",
        "   23     156     0.0227   0.0569   0.9857    0.003     32     10.3 *",
        "Finished (patience) after step 676. Best accuracy 0.9857 at step 156.",
    ]
    assert difference(Shown("train", tuple(TRAINING)), Done(tuple(other), 0)) == ""


@pytest.mark.parametrize(
    ("line", "other"),
    [
        (TRAINING[1], TRAINING[1].replace("0.8000", "0.8300")),
        (TRAINING[1], TRAINING[1].replace(" 52", " 53")),
        (TRAINING[1], TRAINING[1].replace("0.0024", "0.024")),
        (CONFUSION, CONFUSION.replace("32", "28")),
        (CONFUSION, CONFUSION.replace("Adelie", "Gentoo")),
        (CONFUSION, CONFUSION.removesuffix("  .")),
        ("n   72", "n   71"),
        ("score  0.5", "score  0.5  0.5"),
    ],
)
def test_what_tells_differs(line, other):
    assert alike(line, line)
    assert not alike(line, other)


def test_counts_may_differ_by_a_few_rows():
    assert alike(CONFUSION, "  a Adelie    30  2  .")


def test_lines_left_out_match_any_lines_or_none():
    head, tail = TRAINING[:2], TRAINING[-1:]
    shown = Shown("train", (*head, "...", *tail))
    assert difference(shown, Done(tuple(TRAINING), 0)) == ""
    assert difference(shown, Done((*head, *tail), 0)) == ""
    assert difference(shown, Done((*head[:1], *tail), 0)) != ""
    assert difference(shown, Done(tuple(TRAINING[:-1]), 0)) != ""


def test_more_lines_than_the_page_has_are_seen():
    assert "the page has 2 lines, it showed 5" in difference(
        Shown("train", tuple(TRAINING[:2])), Done(tuple(TRAINING), 0)
    )


def test_a_command_fails_where_the_page_shows_a_complaint_and_nowhere_else():
    complaint = "typo.cfg:28: model.droput: mlp.v1 has no argument droput"
    assert difference(Shown("train", (complaint,)), Done((complaint,), 2)) == ""
    assert "exit status 0" in difference(Shown("train", (complaint,)), Done((complaint,), 0))
    assert "exit status 1" in difference(Shown("train", ("done",)), Done(("done",), 1))


def test_written_lines_are_cut_as_they_were():
    page = "Say:\n\n```console\n$ one\nold\n...\nlast\n$ two\n```\n\n```sh\nthree\n```\n"
    expected = "Say:\n\n```console\n$ one\na\n...\nd\n$ two\ne\n```\n\n```sh\nthree\n```\n"
    found = [Done(("a", "b", "c", "d"), 0), Done(("e",), 0)]
    assert rewritten(page, found) == expected
    with pytest.raises(ValueError, match=r"two: one line \.\.\. or \^C is understood, there are 2"):
        difference(Shown("two", ("...", "...")), found[0])


def test_examples_of_the_script_hold():
    assert doctest.testmod(tutorial) == (0, 2)
