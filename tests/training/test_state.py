import pytest

from trainer_cli.epochs import Position
from trainer_cli.errors import ModelFileError
from trainer_cli.loop import Step
from trainer_cli.state import Best, Limits, RunState, from_json, to_json


def at(step, **more):
    return RunState(position=Position(step=step), evaluated=step, **more)


def test_a_better_score_is_best_and_a_tie_keeps_the_earlier():
    first = at(10).scored({}, 0.5, 100)
    assert first.best == Best(10, 0.5)
    tie = RunState(position=Position(step=20), best=first.best).scored({}, 0.5, 200)
    assert tie.best == Best(10, 0.5)
    assert RunState(position=Position(step=30), best=first.best).scored({}, 0.6, 300).best == Best(30, 0.6)


def test_a_nan_is_never_best_and_never_hides_a_later_score():
    nan = at(10).scored({}, float("nan"), 100)
    assert nan.best is None
    assert nan.scored({}, -3.0, 200).best == Best(10, -3.0)


def test_a_final_evaluation_is_dropped_when_the_run_goes_on():
    before = RunState(
        position=Position(step=25), best=Best(10, 0.5), evaluated=20, log_bytes=200, loss_sum=3.0, loss_rows=4
    )
    after = before.scored({}, 0.9, 300, final=True)
    assert after.best == Best(25, 0.9)
    assert after.extended() == before


def test_an_evaluation_on_the_beat_stays_when_the_run_goes_on():
    after = RunState(position=Position(step=20), loss_sum=3.0, loss_rows=4, reason="max_steps").scored(
        {}, 0.9, 300, final=False
    )
    assert after.extended().best == Best(20, 0.9)
    assert after.extended().loss_rows == 0


def test_limits_end_a_run_exactly():
    assert RunState(position=Position(step=9)).finished(Limits(max_steps=10), 5) is None
    assert RunState(position=Position(step=10)).finished(Limits(max_steps=10), 5) == "max_steps"
    assert RunState(position=Position(epoch=1, offset=4)).finished(Limits(max_epochs=2), 5) is None
    assert RunState(position=Position(epoch=1, offset=5)).finished(Limits(max_epochs=2), 5) == "max_epochs"
    assert RunState(seconds=3.0).finished(Limits(max_time=3.0), 5) == "max_time"
    assert RunState(position=Position(step=10**9, epoch=10**6), seconds=1e9).finished(Limits(), 5) is None


def test_patience_counts_steps_since_the_best():
    limits = Limits(patience=30)
    assert not at(30, best=Best(10, 0.5)).out_of_patience(limits)
    assert at(40, best=Best(10, 0.5)).out_of_patience(limits)
    assert not at(40, best=Best(10, 0.5)).out_of_patience(Limits())
    assert at(30).out_of_patience(limits)  # no score ever was a number


def test_training_loss_is_the_mean_over_rows_since_the_last_evaluation():
    first = RunState().after(Step(Position(step=1), 2.0, 0.1, 4), 0.5).after(Step(Position(step=2), 5.0, 0.1, 2), 0.25)
    assert (first.loss_sum / first.loss_rows, first.seconds) == (3.0, 0.75)
    assert first.scored({}, 1.0, 10).loss_rows == 0


def test_state_survives_json():
    state = RunState(
        Position(7, 2, 3, 40, 0.3),
        Best(5, 0.1),
        evaluated=5,
        scores={"loss": 0.3},
        log_bytes=99,
        loss_sum=1 / 3,
        loss_rows=8,
        seconds=2.5,
        reason="patience",
        schedules={"optimizer.learn_rate": {"best": 0.1}},
        before_final=RunState(),
    )
    assert from_json(to_json(state)) == state


@pytest.mark.parametrize(
    "change",
    [
        {"step": None},
        {"finished": {"reason": "boredom"}},
        {"best": {"step": 1}},
        {"carry": "x"},
        {"scores": [1]},
        {"schedules": 1},
    ],
)
def test_a_foreign_state_is_refused(change):
    with pytest.raises(ModelFileError, match="the state of the run is not one of ours"):
        from_json(to_json(RunState()) | change)
