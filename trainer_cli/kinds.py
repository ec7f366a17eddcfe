"""What a loss and a metric must be to fit the target of a run."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError
from trainer_cli.layer_watch import refusal
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.metrics.tally import Tally
from trainer_cli.user_code import defined_at


def check_kinds(config: RunConfig, loss: Loss, metrics: Mapping[str, Tally], target: str) -> None:
    """Refuse a loss or metric of numbers on classes, and of classes on numbers: some would go through by chance."""
    problems = []
    if not isinstance(loss, Loss):
        kind = type(loss)
        message = f"a loss inherits from trainer_cli.api.Loss, {kind.__name__} does not ({defined_at(kind)})"
        problems.append(config.problem("loss", message))
    elif message := mismatched(target, loss.truths):
        problems.append(config.problem("loss", message))
    for name, metric in metrics.items():
        counted = getattr(metric, "truths", "any")
        if (target, counted) in (("numbers.v1", "classes"), ("labels.v1", "numbers")):
            message = f"counts {counted}, the target is {target}: take this section away"
            problems.append(config.problem(f"metrics.{name}", message))
        elif message := lacking(metric):
            problems.append(config.problem(f"metrics.{name}", message))
    if problems:
        raise ConfigError(problems=problems)


def mismatched(target: str, truths: Truths) -> str:
    """Why a loss of such truths cannot be taken of this target; "" if it can."""
    if target == "labels.v1" and truths == "numbers":
        return (
            "takes numbers, the target is labels.v1: use CategoricalCrossentropy.v4 with Softmax.v1, "
            'or [target] @encoders = "numbers.v1"'
        )
    if target == "labels.v1" and truths == "flags":
        return (
            "takes flags that are each true or not, the target is labels.v1, one class a row: use "
            "CategoricalCrossentropy.v4 with Softmax.v1"
        )
    if target == "numbers.v1" and truths == "classes":
        return (
            "takes classes, the target is numbers.v1: use MeanSquaredError.v1 with Linear.v1 at the end, "
            'or [target] @encoders = "labels.v1"'
        )
    return ""


def lacking(metric: Tally) -> str:
    """What a metric must have and has not; "" if it has it all."""
    missing = [part for part in ("higher_is_better", "update", "merge", "result") if not hasattr(metric, part)]
    if missing:
        return f"a metric needs {', '.join(missing)}, which {type(metric).__name__} has not"
    return (
        refusal(metric.update, "probabilities", "truths", "weights")
        or refusal(metric.merge, "other")
        or refusal(metric.result)
    )
