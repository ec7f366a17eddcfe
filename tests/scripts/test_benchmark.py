"""The comparison with the peers: its files, its verdicts, and its page. No peer is run here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import results
import snippets
from benchmark import cases, running, tagging
from benchmark.lines import LINES, Peer
from benchmark.page import page
from benchmark.verdict import failures, score

ROOT = Path(__file__).resolve().parents[2]
DIGITS, REVIEWS, BROWN = LINES["digits"], LINES["reviews"], LINES["brown"]
MACHINE = {"cpu": "a processor", "cores": 2, "load": 0.1, "OMP_NUM_THREADS": "not set"}


def runs(*scores, **others):
    return [
        {"seed": n, "accuracy": found, "seconds": 1.0, "versions": {"it": "1"}, **others}
        for n, found in enumerate(scores)
    ]


def result(**programs):
    return {"runs": programs, "machines": dict.fromkeys(programs, MACHINE)}


def test_every_line_names_programs_that_are_there():
    for name, line in LINES.items():
        for peer in line.peers:
            assert (ROOT / "scripts/peers" / peer.script).is_file(), name
            assert (ROOT / "scripts" / running.REQUIREMENTS[peer.venv]).is_file(), name


def test_a_score_is_the_median_over_seeds_and_the_mean_over_splits():
    found = runs(0.5, 0.6, 1.0)
    assert score(DIGITS, found, "accuracy") == 0.6
    assert score(REVIEWS, found, "accuracy") == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("ours", "peer", "missed"),
    [
        (0.98, 0.98, []),
        (0.98, 0.981, ["worse than scikit-learn MLPClassifier"]),
        (0.974, 0.9, ["worse than 0.975"]),
        (float("nan"), 0.9, ["worse than 0.975", "worse than scikit-learn MLPClassifier"]),
    ],
)
def test_ours_has_to_reach_the_floor_and_the_peer(ours, peer, missed):
    assert failures(DIGITS, runs(ours), {"scikit-learn MLPClassifier": runs(peer)}) == missed


def test_splits_are_compared_where_both_were_measured():
    line = replace(REVIEWS, peers=DIGITS.peers)
    assert failures(line, runs(0.8), {"scikit-learn MLPClassifier": runs(0.79, 0.99)}) == []
    assert failures(line, runs(0.8, 0.8), {"scikit-learn MLPClassifier": runs(0.79, 0.99)}) != []


def test_an_error_has_to_be_as_small_as_the_peer_s():
    line = replace(DIGITS, floor=None, higher_is_better=False)
    peers = {"scikit-learn MLPClassifier": runs(1.3)}
    assert failures(line, runs(1.2), peers) == []
    assert failures(line, runs(1.4), peers) == ["worse than scikit-learn MLPClassifier"]


def test_a_peer_that_is_only_reported_does_not_count():
    line = replace(DIGITS, peers=(Peer("other", "boosting.py", counts=False),))
    assert failures(line, runs(0.98), {"other": runs(0.99)}) == []


def test_words_a_second_count_where_speed_is_asked_for():
    peers = {"spaCy tagger": runs(0.95, words_per_second=1000)}
    assert failures(BROWN, runs(0.95, words_per_second=3000), peers) == []
    slow = failures(BROWN, runs(0.95, words_per_second=2999), peers)
    assert slow == ["less than 3 times the words a second of spaCy tagger"]


def test_the_page_tells_what_was_measured_and_what_was_not():
    measured = {"digits": result(**{"scikit-learn MLPClassifier": runs(0.98, 0.99), "ours": runs(0.986)})}
    text = page(measured)
    assert (
        "| Digits, 8x8 pixels, 10 classes | accuracy | scikit-learn MLPClassifier | 0.9850 (0.9800 to 0.9900, 2 runs) |"
        in text
    )
    assert "| **ours**, `configs/digits.cfg` | 0.9860 (0.9860 to 0.9860, 1 run) | 1.0 | yes |" in text
    assert "penguins" in text.partition("not been measured on: ")[2]
    assert "Brown" not in text.partition("## What")[0].partition("| ---")[2]
    measured["digits"]["runs"]["ours"] = runs(0.986, 0.987, 0.988)
    assert "| so far: fewer runs of scikit-learn MLPClassifier |" in page(measured)
    del measured["digits"]["runs"]["scikit-learn MLPClassifier"]
    assert "| not known: scikit-learn MLPClassifier not measured |" in page(measured)


def test_the_page_is_written_from_the_numbers():
    numbers = json.loads((ROOT / "docs/results.json").read_text(encoding="utf-8"))
    assert (ROOT / "docs/results.md").read_text(encoding="utf-8") == page(numbers)


def test_review_splits_hold_every_snippet_once_and_differ(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [snippets.Snippet(f"movie-{n}", f"text\u2028 {n}", n / 200 - 2.5) for n in range(1000)]
    (tmp_path / cases.DATA / "reviews").mkdir(parents=True)
    snippets.write(tmp_path / cases.DATA / "reviews" / "reviews-all.jsonl", rows)
    labels, ratings = cases.review_labels(tmp_path / "a"), cases.review_ratings(tmp_path / "b")
    assert len(labels) == len(ratings) == 10
    tests = []
    for case, n in ((labels[0], 801), (labels[9], 801), (ratings[0], 1000)):
        parts = [path.read_text(encoding="utf-8").count("\n") for path in (case.train, case.dev, case.test)]
        assert sum(parts) == n
        assert 0.06 * n < parts[2] < 0.14 * n
        tests.append(case.test.read_text(encoding="utf-8"))
    assert tests[0] != tests[1]
    assert labels[3].overrides == ("--paths.train", str(labels[3].train), "--paths.dev", str(labels[3].dev))


def test_ours_is_measured_through_the_command_line(tmp_path):
    line = replace(DIGITS, last=True)
    case = DIGITS.cases(tmp_path)[1]
    quick = replace(case, overrides=(*case.overrides, "--training.max_steps", "20", "--training.eval_frequency", "10"))
    run = running.our_run(line, quick, tmp_path / "run")
    assert run["seed"] == 1
    assert 0.2 < run["accuracy"] < 1
    assert run["versions"]["trainer"]


def test_words_a_second_in_training_are_those_of_its_updates(tmp_path):
    train = tmp_path / "train.conll"
    train.write_text("a\tx\nb\tx\n\nc\tx\nd\tx\n\n")
    (tmp_path / "metrics.jsonl").write_text('{"samples": 1, "seconds": 1}\n{"samples": 50, "seconds": 4}\n')
    assert running.train_speed(cases.Case(train, train, train, 0, ()), tmp_path) == 25


def test_tagging_gives_the_accuracy_of_evaluate_and_the_words_a_second_of_its_best_pass(tmp_path, monkeypatch):
    data = tmp_path / "words.conll"
    data.write_text("a\tx\nb\ty\n\nc\tx\nd\ty\na\tx\n\n" * 4)
    config, data_paths = ROOT / "configs/brown-tagger.cfg", (f"--paths.train={data}", f"--paths.dev={data}")
    small = ("--model.width=8", "--model.rows=[9, 9, 9, 9, 9, 9, 9, 9]", "--training.max_steps=2")
    command = [*running.TRAINER, "train", str(config), "--output", str(tmp_path / "run"), "--quiet"]
    running.shell([*command, *data_paths, *small])
    times = iter([0, 4, 4, 6, 6, 9])
    monkeypatch.setattr(tagging.time, "monotonic", lambda: next(times))
    scores = running.evaluated(tmp_path / "run", cases.Case(data, data, data, 0, ()))
    assert tagging.tagging(tmp_path / "run", data) == {"accuracy": scores["accuracy"], "words_per_second": 10}


def test_a_command_that_fails_shows_its_last_lines():
    with pytest.raises(running.RunError, match=r"exit code 3\nsecond"):
        running.shell(["sh", "-c", "echo second >&2; exit 3"])


def test_a_run_takes_the_place_of_that_of_its_seed_and_the_others_stay(tmp_path, monkeypatch):
    written_to(tmp_path, monkeypatch)
    results.keep("digits", "ours", runs(0.9, 0.91, 0.92), MACHINE)
    results.keep("digits", "ours", [{**run, "seed": 1} for run in runs(0.95)], MACHINE)
    found = results.numbers()["digits"]["runs"]["ours"]
    assert [(run["seed"], run["accuracy"]) for run in found] == [(0, 0.9), (1, 0.95), (2, 0.92)]


def test_seeds_are_chosen(tmp_path, monkeypatch):
    written_to(tmp_path, monkeypatch)
    monkeypatch.setattr(results, "peer_run", lambda peer, case, kept: {**runs(0.9)[0], "seed": case.seed})
    monkeypatch.setattr("sys.argv", ["results.py", "digits", "--only", "peers", "--seeds", "2", "0"])
    assert results.main() == 0
    found = results.numbers()["digits"]["runs"]["scikit-learn MLPClassifier"]
    assert [run["seed"] for run in found] == [0, 2]
    assert all("load" in run for run in found)


def written_to(folder, monkeypatch):
    monkeypatch.setattr(results, "NUMBERS", folder / "results.json")
    monkeypatch.setattr(results, "PAGE", folder / "results.md")


def test_speeds_are_the_medians_of_turns_and_replace_those_after_training(tmp_path, monkeypatch):
    written_to(tmp_path, monkeypatch)
    told = iter([100, 900, 110])
    ours = iter([2000, 9, 8000])
    order = []

    def tag(peer, case, *options):
        order.append(options)
        return {"scores": {"words_per_second": next(told)}}

    def tag_by_ours(model, case):
        order.append(model.name)
        return {"words_per_second": next(ours)}

    monkeypatch.setattr(running, "asked", tag)
    monkeypatch.setattr(running, "tagging", tag_by_ours)
    for who in ("spaCy tagger", "ours"):
        results.keep("brown", who, runs(0.9, 0.91, words_per_second=1), MACHINE)
    monkeypatch.setattr("sys.argv", ["results.py", "brown", "--speeds", "--seeds", "1"])
    assert results.main() == 0
    assert order == [("--tag", str(results.KEPT / "brown" / "peer-1")), "ours-1"] * 3
    found = results.numbers()["brown"]["runs"]
    assert [run["words_per_second"] for run in found["spaCy tagger"]] == [1, 110]
    assert [run["words_per_second"] for run in found["ours"]] == [1, 2000]
    assert found["ours"][1]["accuracy"] == 0.91
    assert "words a second by turns, load" in results.PAGE.read_text(encoding="utf-8")


def test_the_page_tells_the_loads_of_the_runs():
    found = [{**run, "load": load} for run, load in zip(runs(0.9, 0.91), (0.5, 4), strict=True)]
    assert "load 0.5 to 4 at the start" in page({"digits": result(ours=found)})
    assert "load 0.1 at the start" in page({"digits": result(ours=runs(0.9))})


def test_the_page_tells_a_line_s_note_where_it_was_measured():
    note = LINES["fashion-mnist-cnn"].note
    assert f"- fashion-mnist-cnn: {note}\n" in page({"fashion-mnist-cnn": result(ours=runs(0.9))})
    assert note not in page({"digits": result(ours=runs(0.9))})


def test_numbers_of_other_lines_stay(tmp_path, monkeypatch):
    written_to(tmp_path, monkeypatch)
    results.keep("digits", "ours", runs(0.9), MACHINE)
    results.keep("letters", "ours", runs(0.8), MACHINE)
    results.keep("digits", "ours", runs(0.95), MACHINE)
    found = results.numbers()
    assert {name: line["runs"]["ours"][0]["accuracy"] for name, line in found.items()} == {
        "digits": 0.95,
        "letters": 0.8,
    }
    assert results.PAGE.read_text(encoding="utf-8") == page(found)
