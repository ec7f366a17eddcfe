"""The driver, with trials that take no time: which are started, what is written, when it ends."""

import dataclasses
import signal

import pytest
from sweep_fakes import Clock, Deaf, Instant, finished, record_in, run

from trainer_cli.errors import ClusterError
from trainer_cli.signals import StopFlag
from trainer_cli.sweep.executor import Ended
from trainer_cli.sweep.record import read
from trainer_cli.sweep.search import ListedSearch, random_search
from trainer_cli.sweep.space import Range

SPACE = [Range("a.x", 0.0, 1.0)]


def score_of(task):
    return finished(task, score=1 - task.trial / 100)


def sweep(folder, n_workers=1, order=0, ends=score_of, n_trials=9, **more):
    record = record_in(folder, n_trials, **more)
    return run(record, random_search(SPACE, 0), Instant(n_workers, ends, order=order), StopFlag())[1]


@pytest.mark.parametrize("n_workers", [2, 3, 5])
@pytest.mark.parametrize("order", [0, 1])
def test_the_trials_do_not_depend_on_the_number_of_workers(tmp_path, n_workers, order):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert sweep(tmp_path / "a") == sweep(tmp_path / "b", n_workers, order)


def test_there_is_one_row_a_trial_in_the_order_of_numbers(tmp_path):
    found = sweep(tmp_path, 3)
    assert [trial.trial for trial in found] == list(range(1, 10))
    assert {trial.state for trial in found} == {"finished"}
    assert [trial.params for trial in found] == [random_search(SPACE, 0).suggest(number) for number in range(1, 10)]


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [("failed", "train.csv:3: no number", 2), ("diverged", "the loss is nan", 3), ("killed", "SIGKILL", 137)],
)
def test_a_trial_that_fails_is_a_row_with_its_reason_and_no_end(tmp_path, state, reason, code):
    def ends(task):
        return Ended(task.trial, state, reason, code) if task.trial == 2 else score_of(task)

    found = sweep(tmp_path, 2, ends=ends)
    assert len(found) == 9
    assert (found[1].state, found[1].reason, found[1].exit_code, found[1].score) == (state, reason, code, None)
    assert read(tmp_path).best == found[0]


@pytest.mark.parametrize("state", ["failed", "diverged"])
def test_what_failed_is_not_the_best_whatever_it_reached(tmp_path, state):
    def ends(task):
        return Ended(task.trial, state, "", 3, score=5.0) if task.trial == 2 else score_of(task)

    sweep(tmp_path, ends=ends)
    assert read(tmp_path).best.trial == 1


def test_of_equal_scores_the_first_is_best(tmp_path):
    sweep(tmp_path, 3, ends=finished)
    assert read(tmp_path).best.trial == 1


def test_less_of_a_loss_is_better(tmp_path):
    record = record_in(tmp_path, 5)
    record.higher_is_better = False
    record.trials = {trial.trial: trial for trial in sweep(tmp_path)}
    assert record.best.trial == 9
    assert [trial.trial for trial in record.ranked] == list(range(9, 0, -1))


def test_a_signal_stops_the_trials_and_starts_no_other(tmp_path):
    flag = StopFlag()

    def ends(task):
        if executor.stopped:
            return Ended(task.trial, "stopped", "SIGTERM", 143)
        if task.trial == 3:
            flag(signal.SIGINT, None)
        return score_of(task)

    executor = Instant(2, ends, order=4)
    driver, found = run(record_in(tmp_path, 20), random_search(SPACE, 0), executor, flag)
    assert driver.why == "SIGINT"
    assert 3 <= len(found) <= 5
    assert [trial.reason for trial in found if trial.state == "stopped"] == ["SIGINT"]


@pytest.mark.parametrize("comes", [True, False])
def test_a_trial_whose_keeper_a_signal_to_all_has_ended_is_stopped(tmp_path, comes):
    """The loss is heard of before the signal is looked for. Without a signal it is a loss."""
    flag = StopFlag()

    def ends(task):
        if comes and flag.received is None:
            flag(signal.SIGTERM, None)
        return Ended(task.trial, "killed", "its process of Ray on here is lost", 4)

    driver, found = run(record_in(tmp_path, 2), random_search(SPACE, 0), Instant(2, ends), flag)
    told = [(trial.state, trial.reason, trial.exit_code) for trial in found[:1]]
    assert told == ([("stopped", "SIGTERM", 143)] if comes else [("killed", "its process of Ray on here is lost", 4)])
    assert driver.why == ("SIGTERM" if comes else "")


class Gone(Instant):
    """Its cluster is gone when somebody looks."""

    def wait(self, seconds):
        self.ends(None)
        raise ClusterError("Ray cannot go on")


def test_a_cluster_that_a_signal_to_all_has_ended_is_no_loss(tmp_path):
    flag = StopFlag()
    executor = Gone(2, lambda task: flag(signal.SIGTERM, None))
    found = run(record_in(tmp_path, 2), random_search(SPACE, 0), executor, flag)[1]
    assert [(trial.state, trial.reason, trial.exit_code) for trial in found] == [("stopped", "SIGTERM", 143)] * 2


def test_a_cluster_that_is_gone_without_a_signal_ends_the_sweep(tmp_path):
    with pytest.raises(ClusterError, match=r"Ray cannot go on\. Next: the same command with --resume"):
        run(record_in(tmp_path, 2), random_search(SPACE, 0), Gone(2, lambda task: None), StopFlag())
    assert [trial.state for trial in read(tmp_path).trials.values()] == ["killed"] * 2


def test_a_stopped_and_a_killed_trial_go_on_and_the_finished_are_kept(tmp_path):
    def ends(task):
        states = {2: Ended(task.trial, "killed", "SIGKILL", 137), 3: Ended(task.trial, "stopped", "SIGTERM", 143)}
        return states.get(task.trial) or score_of(task)

    sweep(tmp_path, ends=ends, n_trials=4)
    record = read(tmp_path)
    kept = record.trials[1]
    record.n_trials = 6
    executor = Instant(1, score_of)
    found = run(record, random_search(SPACE, 0), executor, StopFlag())[1]
    assert [task.trial for task in executor.submitted] == [2, 3, 5, 6]
    assert found[0] == kept
    assert [trial.params for trial in found] == [random_search(SPACE, 0).suggest(number) for number in range(1, 7)]


def test_a_running_row_of_a_killed_sweep_goes_on(tmp_path):
    sweep(tmp_path, n_trials=2)
    record = read(tmp_path)
    record.put(dataclasses.replace(record.trials[2], state="running", reason=""))
    executor = Instant(1, score_of)
    run(read(tmp_path), random_search(SPACE, 0), executor, StopFlag())
    assert [task.trial for task in executor.submitted] == [2]


@pytest.mark.parametrize(("n_workers", "budget"), [(1, 20.0), (3, 40.0)])
def test_the_budget_ends_a_sweep(tmp_path, n_workers, budget):
    executor = Instant(n_workers, score_of, seconds=0.3)
    driver, found = run(record_in(tmp_path, budget=budget), random_search(SPACE, 0), executor, StopFlag())
    assert 0.95 * budget <= driver.seconds <= 1.05 * budget
    assert len(found) >= budget / 0.3 - n_workers - 4


def test_trials_that_do_not_stop_are_ended_within_the_budget(tmp_path):
    executor = Deaf(2, score_of, seconds=0.1)
    driver, found = run(record_in(tmp_path, budget=30.0), random_search(SPACE, 0), executor, StopFlag())
    assert executor.stopped == [1, 2]
    assert 30 <= driver.seconds <= 1.05 * 30
    assert [(trial.state, trial.reason) for trial in found] == [("stopped", "budget")] * 2


def test_without_force_deaf_trials_break_the_budget(tmp_path, monkeypatch):
    """The check sees a budget that only asks."""
    from trainer_cli.sweep import budget

    monkeypatch.setattr(budget, "FORCED", 1.5)
    driver, _ = run(
        record_in(tmp_path, budget=30.0), random_search(SPACE, 0), Deaf(2, score_of, seconds=0.1), StopFlag()
    )
    assert driver.seconds > 1.05 * 30


def test_a_budget_counts_what_was_used_before(tmp_path):
    run(record_in(tmp_path, n_trials=5, budget=30.0), random_search(SPACE, 0), Instant(1, score_of), StopFlag())
    record = read(tmp_path)
    assert record.seconds == pytest.approx(5, abs=1.5)
    record.n_trials = None
    driver, _ = run(record, random_search(SPACE, 0), Instant(1, score_of, seconds=0.1), StopFlag())
    assert 0.95 * 30 <= driver.seconds <= 1.05 * 30


def test_seconds_are_noted_while_it_goes_on(tmp_path):
    seen = []

    def ends(task):
        seen.append(read(tmp_path).seconds)
        return score_of(task)

    clock = Clock()
    run(record_in(tmp_path, 20), random_search(SPACE, 0), Instant(1, ends, clock), StopFlag())
    assert seen[-1] >= 17  # of about 20 seconds


def test_a_space_that_is_tried_whole_is_the_end(tmp_path):
    driver, found = run(
        record_in(tmp_path), ListedSearch(iter([{"a.x": 1}, {"a.x": 2}])), Instant(4, finished), StopFlag()
    )
    assert driver.is_exhausted
    assert [trial.params for trial in found] == [{"a.x": 1}, {"a.x": 2}]


def test_a_trial_that_is_behind_is_told_to_end(tmp_path):
    class Strict(ListedSearch):
        def report(self, number, step, value):
            return step > 1

    executor = Instant(1, finished, curve=[(1, 0.1), (2, 0.2)])
    _, found = run(record_in(tmp_path), Strict(iter([{"a.x": 1}])), executor, StopFlag(), prunes=True)
    assert executor.asked == {1: [True, False]}
    assert found[0].curve == [[1, 0.1], [2, 0.2]]


def test_a_trial_gets_what_it_needs(tmp_path):
    executor = Instant(1, finished)
    run(record_in(tmp_path, 1), random_search(SPACE, 0), executor, StopFlag(), code=("p.py",), n_cores=3)
    task = executor.submitted[0]
    assert (task.folder, task.code, task.n_cores, task.asks) == (str(tmp_path / "trial-0001"), ("p.py",), 3, False)


class Listening(ListedSearch):
    """Remembers what it was told of the trials that are over, and of their evaluations."""

    def __init__(self, n=2):
        super().__init__(iter([{"a.x": number} for number in range(n)]))
        self.closed, self.heard = [], []

    def report(self, number, step, value):
        self.heard.append((number, step, value))
        return False

    def close(self, number, value, state):
        self.closed.append((number, value, state))


@pytest.mark.parametrize(("higher", "sign"), [(True, 1), (False, -1)])
def test_the_search_is_told_scores_of_which_more_is_better(tmp_path, higher, sign):
    """Of a loss else the largest would be looked for."""
    search = Listening()
    run(record_in(tmp_path), search, Instant(1, score_of, higher=higher), StopFlag())
    expected = [(1, sign * 0.99, "finished"), (2, sign * 0.98, "finished")]
    assert search.closed == expected
    again = Listening(0)
    run(read(tmp_path), again, Instant(1, score_of), StopFlag())
    assert again.closed == expected


def test_an_evaluation_without_a_finite_score_is_written_and_told_again(tmp_path):
    """Also to the search of a later call, which else would know of another number of evaluations."""
    curve = [(1, None), (2, 0.5)]
    found = run(record_in(tmp_path), Listening(1), Instant(1, finished, curve=curve), StopFlag(), prunes=True)[1]
    assert found[0].curve == [[1, None], [2, 0.5]]
    search = Listening(0)
    run(read(tmp_path), search, Instant(1, finished), StopFlag())
    assert search.heard == [(1, 1, None), (1, 2, 0.5)]
