"""How a run goes: from [training] of spaCy's config to our sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer_cli.config.parameters import signature_of
from trainer_cli.conversion.source import Source
from trainer_cli.registry import registry

# The defaults of spaCy 3 where a config leaves a key out (its `default_config.cfg`).
DEFAULTS: Mapping[str, Any] = {
    "max_epochs": 0,
    "max_steps": 20000,
    "patience": 1600,
    "eval_frequency": 200,
    "accumulate_gradient": 1,
    "dropout": 0.1,
}
BATCH_SIZE = {"@schedules": "compounding.v1", "start": 100, "stop": 1000, "compound": 1.001}
OPTIMIZERS = ("Adam.v1", "RAdam.v1", "SGD.v1")
# What spaCy gives texts at a time when it evaluates.
EVAL_BATCH_SIZE = 1000


def training(source: Source) -> dict[str, Any]:
    """The section [training], but for the scores."""
    found = {name: call(source, f"training.{name}", default) for name, default in DEFAULTS.items()}
    if found["max_epochs"] == -1:
        found["max_epochs"] = 0
        source.say(
            "training.max_epochs", "absent: data are no endless stream, and their order is drawn anew each epoch"
        )
        source.used.discard("training.max_epochs")
    if not found["max_epochs"] and not found["max_steps"]:
        found["max_steps"] = DEFAULTS["max_steps"]
        source.say("training.max_steps", f"absent: a run needs a limit, which is {found['max_steps']} now")
        source.used.discard("training.max_steps")
    found["eval_batch_size"] = source.take("nlp.batch_size", EVAL_BATCH_SIZE)
    return found | batches(source)


def batches(source: Source) -> dict[str, Any]:
    """What sets the size of batches: a batcher of words, or a number of rows."""
    name = source.take("training.batcher.@batchers", "spacy.batch_by_words.v1")
    size = call(source, "training.batcher.size", BATCH_SIZE)
    if name == "spacy.batch_by_words.v1":
        tolerance = source.take("training.batcher.tolerance", 0.2)
        if source.look("training.batcher.discard_oversize") is False:
            source.take("training.batcher.discard_oversize")  # as here: a long row stands alone
        source.say("training.batcher.discard_oversize", "absent: a row that is too long stands alone in its batch")
        return {"batcher": {"@batchers": "words.v1", "size": size, "tolerance": tolerance}}
    if name == "spacy.batch_by_padded.v1":
        source.say("training.batcher", "absent: by_length.v1 has pool and run")
        source.say("training.batcher.size", "absent: batch_size is a number of rows, 128 now")
        source.used -= {key for key in source.used if key.startswith("training.batcher.size")}
        return {"batcher": {"@batchers": "by_length.v1"}, "batch_size": 128}
    if name != "spacy.batch_by_sequence.v1":
        source.say("training.batcher", "absent: a batch has so many rows")
        source.used.discard("training.batcher.@batchers")
    return {"batch_size": size}


def optimizer(source: Source) -> dict[str, Any]:
    """The section [optimizer]."""
    name = source.take("training.optimizer.@optimizers", "Adam.v1")
    if name not in OPTIMIZERS:
        source.say("training.optimizer", "absent: Adam.v1 as it is without arguments; see the README for others")
        source.used.discard("training.optimizer.@optimizers")
        return {"@optimizers": "Adam.v1"}
    given = source.section("training.optimizer")
    takes = signature_of(registry.optimizers.get(name)).named
    found = {key: call(source, f"training.optimizer.{key}") for key in given if key in takes}
    # spaCy leaves averages out unless it is told, we have them.
    given_or_usual = {"use_averages": False, "L2_is_weight_decay": True, "L2": 0.01} | found
    return {"@optimizers": name} | {key: value for key, value in given_or_usual.items() if value is not None}


def call(source: Source, dotted: str, default: Any = None) -> Any:
    """A number, or a schedule with those of its arguments that ours has too."""
    given = source.look(dotted, None)
    if not isinstance(given, Mapping):
        return source.take(dotted, default)
    name = given.get("@schedules")
    if not registry.has("schedules", str(name)) or not fits(str(name), given):
        source.say(dotted, f"absent: {plain(default)}")
        return default
    source.take(f"{dotted}.@schedules")
    takes = signature_of(registry.schedules.get(str(name))).named
    found = {key: call(source, f"{dotted}.{key}") for key in given if key in takes}
    return {"@schedules": name} | found


def fits(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a schedule of ours takes all the arguments that are given."""
    return signature_of(registry.schedules.get(name)).named.keys() >= {key for key in given if key != "@schedules"}


def plain(default: Any) -> str:
    if isinstance(default, Mapping):
        return "compounding.v1 from 100 to 1000"
    return f"{default} is written" if default is not None else "the usual value is taken"
