"""What a run knows of itself beyond its weights: how far it is, what was best, and whether it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from trainer_cli.epochs import Position
from trainer_cli.errors import ModelFileError
from trainer_cli.loop import Step

Reason = Literal["max_steps", "max_epochs", "max_time", "patience"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True)
class Best:
    """The best evaluation so far: after which step, and its score, turned so that higher is better."""

    step: int
    score: float


@dataclass(frozen=True)
class Limits:
    """When to stop; 0 is no limit. `max_time` in seconds of training, `patience` in steps without a better score."""

    max_steps: int = 0
    max_epochs: int = 0
    max_time: float = 0
    patience: int = 0


@dataclass(frozen=True)
class RunState:
    """One moment of a run. Saved with each checkpoint, it is the truth about the run.

    `evaluated` is the last step after which there was an evaluation, `scores` what it gave by name (nothing without
    dev data), `log_bytes` how long metrics.jsonl was then; `loss_sum` over `loss_rows` rows is the mean training loss
    since. `seconds` is the time spent training. `reason` says why the run is over, None while it is not.
    `schedules` is what those that follow the dev score remember of it, by what they set. `before_final` is the state
    before a last evaluation off the beat.
    """

    position: Position = field(default_factory=Position)
    best: Best | None = None
    evaluated: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    log_bytes: int = 0
    loss_sum: float = 0.0
    loss_rows: int = 0
    seconds: float = 0.0
    reason: Reason | None = None
    schedules: Mapping[str, Any] = field(default_factory=dict)
    before_final: RunState | None = None

    def after(self, step: Step, seconds: float) -> RunState:
        """The state after one more update that took `seconds`."""
        return replace(
            self,
            position=step.position,
            loss_sum=self.loss_sum + step.loss * step.batch_size,
            loss_rows=self.loss_rows + step.batch_size,
            seconds=self.seconds + seconds,
        )

    def scored(
        self, scores: Mapping[str, float], score: float | None, log_bytes: int, *, final: bool = False
    ) -> RunState:
        """The state after an evaluation; a tie keeps the earlier best, and a NaN (or no score) never is one.

        `score` is what decides, made of the `scores`. `final`: this evaluation is off the beat of `eval_frequency`,
        for the end of the run alone.
        """
        step, best = self.position.step, self.best
        if score is not None and (best is None or score > best.score) and score == score:
            best = Best(step, score)
        new = replace(self, best=best, evaluated=step, scores=scores, log_bytes=log_bytes, loss_sum=0.0, loss_rows=0)
        return replace(new, before_final=replace(self, reason=None)) if final else new

    def extended(self) -> RunState:
        """The state from which a finished run goes on under wider limits, as if it had never stopped."""
        return replace(self.before_final or self, reason=None, before_final=None)

    def finished(self, limits: Limits, rows_per_epoch: int) -> Reason | None:
        """Why the run is over by the limits that can be told without an evaluation, or None."""
        at = self.position
        if limits.max_steps and at.step >= limits.max_steps:
            return "max_steps"
        if limits.max_epochs and at.epoch + (at.offset >= rows_per_epoch) >= limits.max_epochs:
            return "max_epochs"
        if limits.max_time and self.seconds >= limits.max_time:
            return "max_time"
        return None

    def out_of_patience(self, limits: Limits) -> bool:
        """Whether the best score is `patience` steps old at an evaluation."""
        if not limits.patience or self.evaluated == 0:
            return False
        return self.evaluated - (self.best.step if self.best else 0) >= limits.patience


def to_json(state: RunState) -> dict[str, Any]:
    """The state as JSON; whoever writes it keeps floats to the bit."""
    at = state.position
    return {
        "step": at.step,
        "epoch": at.epoch,
        "offset": at.offset,
        "samples": at.samples,
        "carry": at.carry,
        "best": None if state.best is None else {"step": state.best.step, "score": state.best.score},
        "evaluated": state.evaluated,
        "scores": dict(state.scores),
        "schedules": dict(state.schedules),
        "log_bytes": state.log_bytes,
        "loss_sum": state.loss_sum,
        "loss_rows": state.loss_rows,
        "seconds": state.seconds,
        "finished": None if state.reason is None else {"reason": state.reason, "step": at.step},
        "before_final": None if state.before_final is None else to_json(state.before_final),
    }


def from_json(data: Mapping[str, Any]) -> RunState:
    """The state that `to_json` wrote; ModelFileError when it is something else."""
    try:
        best, finished, before_final = data["best"], data["finished"], data["before_final"]
        return RunState(
            position=Position(
                int(data["step"]), int(data["epoch"]), int(data["offset"]), int(data["samples"]), float(data["carry"])
            ),
            best=None if best is None else Best(int(best["step"]), float(best["score"])),
            evaluated=int(data["evaluated"]),
            scores={str(name): float(score) for name, score in data["scores"].items()},
            schedules={str(name): dict(memory) for name, memory in data["schedules"].items()},
            log_bytes=int(data["log_bytes"]),
            loss_sum=float(data["loss_sum"]),
            loss_rows=int(data["loss_rows"]),
            seconds=float(data["seconds"]),
            reason=None if finished is None else REASONS[REASONS.index(finished["reason"])],
            before_final=None if before_final is None else from_json(before_final),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise ModelFileError(f"the state of the run is not one of ours: {err!r}") from err
