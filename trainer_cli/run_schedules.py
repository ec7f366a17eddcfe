"""The schedules of a run, by the key of its config that each sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import takewhile

from trainer_cli.batches import whole_size
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ArgumentError, ConfigError
from trainer_cli.job import LATE_STEP
from trainer_cli.layer_watch import section_of_layer
from trainer_cli.layers.dropout import in_range
from trainer_cli.model import Model
from trainer_cli.optimizers.hyper import Hyper
from trainer_cli.optimizers.updater import Updater
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.store import walk_paths

# So many steps are looked at one by one, and so many beyond them.
EACH_STEP, BEYOND = 20_000, 1000


def batch_size_of(config: RunConfig) -> Schedule:
    """The schedule of the batcher, where it has one, else of the section [batch_size], or the number in [training].

    ConfigError: there are both.
    """
    batcher = config.training.batcher
    if batcher is not None and batcher.size is not None:
        for key in ("training.batch_size", "batch_size"):
            if config.has(key) or config.origin(key) != "default":
                message = "nothing reads it: [training.batcher] has a size of its own"
                raise ConfigError(problems=[config.problem(key, message)])
        return batcher.size
    return as_schedule(config.build("batch_size") if config.has("batch_size") else config.training.batch_size)


def varying(config: RunConfig, optimizer: Updater, batch_size: Schedule, model: Model) -> dict[str, Schedule]:
    """The batch size, and every schedule of the run that is more than a number, by the key that it sets."""
    found = {f"optimizer.{name}": schedule for name, schedule in optimizer.schedules.items()}
    found |= {size_key(config): batch_size}
    for name in ("accumulate_gradient", "dropout"):
        if isinstance(value := getattr(config.training, name), Schedule):
            found[f"training.{name}"] = value
    for path, layer in walk_paths(model):
        for name, value in layer.attrs.items():
            # The dropout of [training] is that of every layer that sets none.
            if isinstance(value, Schedule) and str(value) != str(config.training.dropout):
                found[f"{section_of_layer(config, path)}.{name}"] = value
    size = size_key(config)
    return {name: schedule for name, schedule in found.items() if name == size or not is_number(str(schedule))}


def size_key(config: RunConfig) -> str:
    """Where the size of batches stands."""
    batcher = config.training.batcher
    return "batch_size" if batcher is None or batcher.size is None else "training.batcher.size"


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_values(config: RunConfig, optimizer: Updater, schedules: Mapping[str, Schedule], n_steps: int) -> None:
    """Refuse schedules that would give what no update can take, at the first step where they do.

    The first EACH_STEP steps of the run are looked at one by one, later ones at even distances; those not at all
    where values are still to be drawn and kept.
    """
    problems = []
    for name, schedule in schedules.items():
        rule = rule_of(name, optimizer)
        for step in sample_steps(min(n_steps, EACH_STEP) if schedule.is_drawn else n_steps):
            try:
                rule(schedule(step))
            except ArgumentError as err:
                where = "" if str(schedule) in str(err) else f", at step {step} of {schedule}"
                problems.append(config.problem(name, f"{err}{where}"))
                break
    if problems:
        raise ConfigError(problems=problems)


def check_workers(config: RunConfig, n_steps: int) -> None:
    """ConfigError: a step has fewer micro-batches than the cluster has workers."""
    cluster = config.build("cluster")
    accumulate = as_schedule(config.training.accumulate_gradient)
    n_looked_at = min(n_steps, EACH_STEP) if accumulate.is_drawn else n_steps
    n_parts = min(int(accumulate(step)) for step in sample_steps(n_looked_at))
    if cluster is not None and n_parts < getattr(cluster, "workers", 1):
        n = cluster.workers
        parts = f"{n_parts} micro-batch{'es' if n_parts > 1 else ''}"
        message = f"gives {parts} a step for {n} workers: set it to {n} or more, or take fewer workers"
        raise ConfigError(problems=[config.problem("training.accumulate_gradient", message)])


def check_parameters(config: RunConfig, optimizer: Updater, model: Model) -> None:
    """ConfigError: the optimizer cannot update the model's parameters."""
    try:
        optimizer.check(model.store)
    except ArgumentError as err:
        raise ConfigError(problems=[config.problem_in("optimizer", str(err))]) from err


def rule_of(name: str, optimizer: Updater) -> Callable[[float], object]:
    """What a schedule's value must satisfy, by the key that it sets: a function that raises an ArgumentError if not."""
    section, _, key = name.rpartition(".")
    hyper = getattr(type(optimizer), key, None) if section == "optimizer" else None
    if isinstance(hyper, Hyper):
        return hyper.checked
    if key in ("batch_size", "accumulate_gradient") or name == "training.batcher.size":
        return partial(at_least_one, key)
    return in_range if key == "dropout" else float


def at_least_one(key: str, value: float) -> None:
    if value < 1:
        raise ArgumentError(f"{key} must be at least 1, got {value:g}")


def sample_steps(n_steps: int) -> Iterator[int]:
    """Every one of the first steps, then some at even distances, and the last."""
    yield from range(min(n_steps, EACH_STEP))
    if n_steps > EACH_STEP:
        for index in range(BEYOND):
            yield EACH_STEP + index * (n_steps - EACH_STEP) // BEYOND
        yield n_steps - 1


def zero_from(schedule: Schedule, n_steps: int) -> int | None:
    """The step from which a schedule is 0 to the end of a run, if that is more than a tenth of it; else None.

    Of a longer run it is the first such step among those that are looked at.
    """
    zeros = [step for step, _ in takewhile(lambda pair: pair[1] == 0, values_back(schedule, n_steps))]
    return zeros[-1] if zeros and n_steps - zeros[-1] > n_steps / 10 else None


def values_back(schedule: Schedule, n_steps: int) -> Iterator[tuple[int, float]]:
    if schedule.is_drawn and n_steps > EACH_STEP:
        return
    for step in sorted(set(sample_steps(n_steps)), reverse=True):
        yield step, schedule(step)


def steps_of(config: RunConfig, n_rows: int, batch_size: Schedule) -> int:
    """How many updates a run makes at most, as far as its limits tell; LATE_STEP where they do not.

    Of words, where batches are of words, `n_rows` and the answer are about so many.
    """
    training = config.training
    by_epochs = steps_of_epochs(training.max_epochs, n_rows, batch_size)
    return min((limit for limit in (training.max_steps, by_epochs) if limit), default=LATE_STEP)


def steps_of_epochs(n_epochs: int, n_rows: int, batch_size: Schedule) -> int:
    """The updates of so many passes; beyond EACH_STEP of them, as many as if the size stayed as it is then."""
    step, used, carry = 0, 0, 0.0
    while used < n_epochs * n_rows:
        try:
            size, carry = whole_size(batch_size, step, carry)
        except ArgumentError:
            return step + 1  # check_values tells what is wrong there
        if step == EACH_STEP:
            return step + -(-(n_epochs * n_rows - used) // size)
        used += min(size, n_rows - used % n_rows)
        step += 1
    return step


def check_followers(config: RunConfig, schedules: Mapping[str, Schedule]) -> None:
    """Refuse a schedule that follows the dev score where there is no dev data: it would never change."""
    if config.has_dev:
        return
    message = "follows the dev score: add a section [data.dev] or [data.split], or take a schedule of steps"
    if problems := [config.problem(name, message) for name, each in schedules.items() if each.reads_scores]:
        raise ConfigError(problems=problems)
