"""A config of ours for what one of spaCy's trains."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from trainer_cli.config import foreign
from trainer_cli.config.document import Document
from trainer_cli.config.loaded import Loaded
from trainer_cli.config.writer import dump, write
from trainer_cli.conversion import component
from trainer_cli.conversion.source import Source
from trainer_cli.conversion.training import optimizer, training
from trainer_cli.data.faults import printable

ORDER = (
    "paths",
    "system",
    "data",
    "features",
    "target",
    "model",
    "loss",
    "optimizer",
    "batch_size",
    "metrics",
    "training",
)
# What says no more than that a key is there.
UNSET: tuple[Any, ...] = (None, [], {}, "", False)
# What the heading of comments says need not stand at each; how wide these are.
LEFT_OUT = f": {foreign.ABSENT}"
WIDTH = 120
# The place of data that the config does not name.
PLACES = {"train": "train.spacy", "dev": "dev.spacy"}
READERS = {"spacy.Corpus.v1": "docbin.v1", "spacy.JsonlCorpus.v1": "jsonl.v1"}


def converted(loaded: Loaded, asked: str | None = None) -> tuple[str, list[str]]:
    """The text of our config, and a line for each key that has no counterpart. `asked` is the component to train.

    ConfigError: it is no config of spaCy's, or has no component that can be converted.
    """
    source = Source(loaded)
    if not any(name in loaded.config for name in foreign.MARKS):
        message = f"is no config of spaCy's: it has no section {' or '.join(f'[{name}]' for name in foreign.MARKS)}"
        raise source.error("", message)
    name, factory = component.chosen(source, asked)
    parts = component.sections(source, name, factory)
    metrics, weights = component.scores(source, factory)
    paths, data = corpora(source)
    tree: dict[str, Any] = {
        "paths": paths,
        "system": {"seed": source.take("training.seed", source.take("system.seed", 0)) or 0},
        "data": data,
        **parts,
        "optimizer": optimizer(source),
        "metrics": metrics,
        "training": training(source) | {"score_weights": weights},
    }
    if isinstance(tree["training"].get("batch_size"), dict):
        tree["batch_size"] = tree["training"].pop("batch_size")
    source.take("system.seed")
    return write(ordered(tree), Document(tail=comments(source)), leaf), lines(source)


def ordered(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: tree[name] for name in ORDER if name in tree}


def leaf(where: str, value: Any) -> str:
    """A value as it is written; the paths of data stand for the keys of [paths]."""
    part = where.removeprefix("data.").removesuffix(".path")
    return f"${{paths.{part}}}" if where == f"data.{part}.path" else dump(value, where)


def corpora(source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    """[paths] and [data]."""
    paths: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name, usual in PLACES.items():
        where = str(source.take(f"training.{name}_corpus", f"corpora.{name}"))
        reader = str(source.take(f"{where}.@readers", "spacy.Corpus.v1"))
        path = source.take(f"{where}.path") or source.take(f"paths.{name}")
        source.take(f"paths.{name}")
        if not path:
            key = f"paths.{name}" if source.look("paths") else f"{where}.path"
            source.used.discard(key)
            source.say(key, f"names no file: {usual} is written; --paths.{name} FILE sets it")
        paths[name] = all_in(str(path)) if path else usual
        data[name] = {"@readers": READERS.get(reader, "docbin.v1"), "path": paths[name]}
        if limit := source.take(f"{where}.limit", 0):
            data[name]["limit"] = limit
        if source.look(f"{where}.augmenter") is not None:
            source.say(f"{where}.augmenter", "absent: texts stay as they are")
        if source.take(f"{where}.max_length"):
            source.used.discard(f"{where}.max_length")
            source.say(f"{where}.max_length", "absent: text.v1 has max_length, in words")
        if reader not in READERS:
            source.used.discard(f"{where}.@readers")
            source.say(f"{where}.@readers", "absent: docbin.v1 is written; a reader of your own comes with --code")
    return paths, data


def all_in(path: str) -> str:
    """A folder as the pattern of the files in it."""
    return os.path.join(path, "**", "*.spacy") if os.path.isdir(path) else path


def is_unset(source: Source, key: str) -> bool:
    return source.look(key) in UNSET and not source.said.get(key)


def lines(source: Source) -> list[str]:
    """A line for each key that is set and has no counterpart, and one for all that are not set anyhow."""
    unused = source.unused()
    found = [source.problem(key, said(source, key)) for key in unused if not is_unset(source, key)]
    n_unset = len(unused) - len(found)
    counted = f"{n_unset} keys are not set and have" if n_unset > 1 else "1 key is not set and has"
    last = [f"{source.name}: {counted} no counterpart: comments at the end of the config name them"]
    return [str(problem) for problem in sorted(found, key=lambda problem: problem.line)] + last * bool(n_unset)


def comments(source: Source) -> list[str]:
    """The keys without a counterpart, as comments of the config: those that are set, and those that are not."""
    name, unused = printable(PurePath(source.name).name), source.unused()
    unset = [key for key in unused if is_unset(source, key)]
    headings = {
        f"# Keys of {name} without a counterpart:": [key for key in unused if key not in unset],
        "# Not set there, and left out:": unset,
    }
    found: list[str] = []
    for heading, keys in headings.items():
        said_of = {key: said(source, key).removeprefix("absent").lstrip(".: ").removesuffix(LEFT_OUT) for key in keys}
        found += [heading] * bool(keys)
        for line in grouped(keys, said_of):
            found += textwrap.wrap(
                line, WIDTH, initial_indent="#   ", subsequent_indent="#     ", break_on_hyphens=False
            )
    return found


def grouped(keys: Sequence[str], said: Mapping[str, str]) -> list[str]:
    """Keys of one section of which the same is said in a line.

    >>> grouped(["a.x", "a.y", "a.b.z"], {"a.x": "no", "a.y": "no", "a.b.z": ""})
    ['[a] x, y: no', '[a.b] z']
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        section, _, last = key.rpartition(".")
        groups.setdefault((section, said[key]), []).append(last)
    return [
        (f"[{section}] " if section else "") + ", ".join(names) + (f": {sentence}" if sentence else "")
        for (section, sentence), names in groups.items()
    ]


def said(source: Source, key: str) -> str:
    return source.sentence(key) or known(key) or "absent"


def known(key: str) -> str:
    """What is said of a key, or of a section around it, wherever it stands."""
    sentence = foreign.around(key).removesuffix(foreign.ANEW)
    return f"absent. {sentence}" if sentence else ""
