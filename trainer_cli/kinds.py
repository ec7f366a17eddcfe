"""What a loss and a metric must be to fit the target of a run."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_cli.config.run_config import RunConfig
from trainer_cli.data.encoder import Encoder
from trainer_cli.errors import ConfigError
from trainer_cli.layer_watch import refusal
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.metrics.tally import Tally
from trainer_cli.user_code import defined_at

# What the built-in targets are, as losses and metrics name it.
TARGETS: dict[str, Truths] = {
    "labels.v1": "classes",
    "tags.v1": "classes",
    "multilabel.v1": "flags",
    "numbers.v1": "numbers",
}
# A loss for each, with what the model must end in, and the target that a loss would fit.
REMEDIES: dict[Truths, str] = {
    "classes": "CategoricalCrossentropy.v4 with Softmax.v1",
    "flags": "BinaryCrossentropy.v1 with Linear.v1 at the end",
    "numbers": "MeanSquaredError.v1 with Linear.v1 at the end",
}
WORDS: dict[Truths, str] = {
    "classes": "classes",
    "flags": "flags that are each true or not",
    "numbers": "numbers",
}


def check_kinds(config: RunConfig, loss: Loss, metrics: Mapping[str, Tally], target: str) -> None:
    """Refuse a loss or metric of numbers on classes, of classes on numbers, and so on: some would go through by chance.

    `target` is the registered name; of a user's own nothing is known.
    """
    problems = []
    if not isinstance(loss, Loss):
        kind = type(loss)
        message = f"a loss inherits from trainer_cli.api.Loss, {kind.__name__} does not ({defined_at(kind)})"
        problems.append(config.problem("loss", message))
    elif message := mismatched(target, loss.truths, loss.remedies):
        problems.append(config.problem_in("loss", message))
    for name, metric in metrics.items():
        counted = getattr(metric, "truths", "any")
        if counted != "any" and counted != TARGETS.get(target, counted):
            message = f"counts {counted}, the target is {target}: take this section away"
            problems.append(config.problem(f"metrics.{name}", message))
        elif message := lacking(metric):
            problems.append(config.problem(f"metrics.{name}", message))
    if problems:
        raise ConfigError(problems=problems)


def mismatched(target: str, truths: Truths, remedies: Mapping[Truths, str]) -> str:
    """Why a loss of such truths cannot be taken of this target, and which can; "" if it can. `remedies` is its own."""
    kind = TARGETS.get(target, truths)
    if "any" in (kind, truths) or kind == truths:
        return ""
    other = {"classes": "labels.v1", "numbers": "numbers.v1", "flags": "multilabel.v1"}[truths]
    one = ", one class a row" if (target, truths) == ("labels.v1", "flags") else ""
    message = f"takes {WORDS[truths]}, the target is {target}{one}: use {(remedies or REMEDIES)[kind]}"
    return message if one else f'{message}, or [target] @encoders = "{other}"'


def check_unknown(config: RunConfig, loss: Loss, target: Encoder) -> None:
    """Refuse a target whose classes may be unknown for a loss that would take them for wrong truths."""
    is_class = getattr(target, "truths", "classes") == "classes"  # of flags, an unknown one is not there
    if is_class and getattr(target, "unknown", "error") == "miss" and not getattr(loss, "skips_unknown", False):
        message = 'the loss has no way to skip rows of unknown classes: use CategoricalCrossentropy.v4, or "error" here'
        raise ConfigError(problems=[config.problem("target.unknown", message)])


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
