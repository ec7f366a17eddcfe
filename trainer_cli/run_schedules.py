"""The schedules of a run, by the key of its config that each sets."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError
from trainer_cli.model import Model
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.rehearsal import section_of_layer
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.store import walk_paths


def batch_size_of(config: RunConfig) -> Schedule:
    """The schedule of the section [batch_size], or the number in [training]."""
    return as_schedule(config.build("batch_size") if config.has("batch_size") else config.training.batch_size)


def varying(config: RunConfig, optimizer: Optimizer, batch_size: Schedule, model: Model) -> dict[str, Schedule]:
    """The batch size, and every schedule of the run that is more than a number, by the key that it sets."""
    found = {f"optimizer.{name}": schedule for name, schedule in optimizer.schedules.items()}
    found |= {"batch_size": batch_size}
    for name in ("accumulate_gradient", "dropout"):
        if isinstance(value := getattr(config.training, name), Schedule):
            found[f"training.{name}"] = value
    for path, layer in walk_paths(model):
        for name, value in layer.attrs.items():
            # The dropout of [training] is that of every layer that sets none.
            if isinstance(value, Schedule) and str(value) != str(config.training.dropout):
                found[f"{section_of_layer(config, path)}.{name}"] = value
    return {name: schedule for name, schedule in found.items() if name == "batch_size" or not is_number(str(schedule))}


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_followers(config: RunConfig, schedules: Mapping[str, Schedule]) -> None:
    """Refuse a schedule that follows the dev score where there is no dev data: it would never change."""
    if config.has("data.dev"):
        return
    message = "follows the dev score: add a section [data.dev], or take a schedule of steps"
    if problems := [config.problem(name, message) for name, each in schedules.items() if each.reads_scores]:
        raise ConfigError(problems=problems)
