"""The config of a run: its sections known, everything checked, objects made on demand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from trainer_cli.config import foreign
from trainer_cli.config.build import build, build_all
from trainer_cli.config.document import config_error
from trainer_cli.config.filled import fill, with_defaults, write_filled
from trainer_cli.config.loaded import Loaded, read_file, read_text
from trainer_cli.config.overrides import read_arguments, read_environment
from trainer_cli.config.parameters import signature_of
from trainer_cli.config.plan import Planner
from trainer_cli.config.registry import registry as public_registry
from trainer_cli.config.rules import check_files, check_rules, check_streams
from trainer_cli.config.sections import FREE, KNOWN, SETTINGS, Checkpoints, System, Training
from trainer_cli.config.structure import check_sections
from trainer_cli.errors import Problem
from trainer_cli.registry import Registry

STDIN = "stdin"


@dataclass(frozen=True)
class RunConfig:
    """A config that was checked as a whole. `build` makes its parts, new ones each time."""

    loaded: Loaded
    plans: Mapping[str, Any]
    registry: Registry
    training: Training
    system: System
    checkpoints: Checkpoints

    @property
    def config(self) -> dict[str, Any]:
        """The nested dict, overrides and variables filled in, defaults not."""
        return self.loaded.config

    @property
    def variables(self) -> dict[str, Any]:
        """What `${...}` pointed at, by name."""
        return self.loaded.variables

    @property
    def path(self) -> str:
        return self.loaded.path

    @property
    def text(self) -> str:
        return self.loaded.text

    def place(self, dotted: str) -> tuple[str, int]:
        """File and line of a key or section; what is missing stands at its section, else at the end of the file."""
        return self.loaded.place(dotted)

    def problem(self, dotted: str, message: str) -> Problem:
        """A mistake at a key or section, for the error of whoever finds it."""
        return self.loaded.problem(dotted, message)

    def problem_in(self, section: str, message: str) -> Problem:
        """A mistake at the key of a section that a sentence names first, or at the section."""
        words = re.findall(r"\w+", message)
        key = next((word for word in words if self.loaded.origin(f"{section}.{word}") != "default"), "")
        return self.problem(f"{section}.{key}" if key else section, message)

    @property
    def has_dev(self) -> bool:
        """Whether there is dev data, in sections of its own or held out of the training data."""
        return self.has("data.dev") or self.has("data.split")

    @property
    def readers(self) -> dict[str, dict[str, Any]]:
        """The sections of readers by their names below [data]: `train`, and `dev` or each `dev.NAME`."""
        data = self.config["data"]
        dev = data.get("dev", {})
        sets = {"dev": dev} if any(key.startswith("@") for key in dev) else {f"dev.{name}": dev[name] for name in dev}
        return {"train": data["train"], **sets}

    def origin(self, dotted: str) -> str:
        """Where a value came from: file, environment, command line, or default."""
        return self.loaded.origin(dotted)

    def has(self, dotted: str) -> bool:
        """Whether the config has this section or key."""
        return self._planned(dotted) is not None

    def build(self, dotted: str) -> Any:
        """The object (or dict of objects) that a section describes, made anew; None where the section is missing.

        What a constructor refuses is raised with the place in the config.
        """
        return build(self._planned(dotted), self.loaded.document)

    def build_all(self) -> dict[str, Any]:
        """Every part of the config; what several constructors refuse comes in one error."""
        return build_all(self.plans, self.loaded.document)

    def filled(self) -> dict[str, Any]:
        """The nested dict with every default written out, and without sections that only variables read.

        A dropout of [training] stands in the layers that take it.
        """
        dropout = self.config.get("training", {}).get("dropout")
        defaults = {} if dropout is None else {("layers", "dropout"): dropout}
        found = {name: fill(value, self.registry, defaults) for name, value in self.config.items() if name in KNOWN}
        for name, kind in SETTINGS.items():
            found[name] = with_defaults(found.get(name, {}), signature_of(kind), {})
        batcher = self.training.batcher
        if "batch_size" in self.config or (batcher is not None and batcher.size is not None):
            found["training"].pop("batch_size", None)
        found["training"]["dropout"] = None
        return found

    def filled_text(self) -> str:
        """The same as a config's text, with the comments of the file; it reads back to the same values and objects."""
        return write_filled(self.filled(), self.loaded.document)

    def _planned(self, dotted: str) -> Any:
        planned: Any = self.plans
        for part in dotted.split("."):
            planned = planned.get(part) if isinstance(planned, Mapping) else None
        return planned


def read_run_config(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    environment: str = "",
    stdin: str | bytes = b"",
    registry: Registry = public_registry,
) -> RunConfig:
    """Read and check the config of a run; every mistake in it is in one ConfigError, each with its line.

    `path` may be `-` for the text in `stdin`. `overrides` are words of the command line (`--section.key VALUE`),
    `environment` the text of TRAINER_CONFIG_OVERRIDES, below them in rank. Nothing the config names is called yet but
    the schedules in `[training]`.
    """
    below, wrong_below = read_environment(environment)
    above, wrong_above = read_arguments(overrides)
    name, data = (STDIN, stdin) if str(path) == "-" else (str(path), read_file(path))
    loaded = read_text(data, name, [*below, *above])
    loaded.document.problems += [*wrong_below, *wrong_above]
    return check_run(loaded, registry)


def check_run(loaded: Loaded, registry: Registry) -> RunConfig:
    """Check a config that was read against the sections of a run and the functions it names."""
    planner = Planner(registry, loaded.document)
    plans = check_sections(loaded, planner)
    check_rules(loaded, plans, planner)
    check_streams(plans, planner)
    if loaded.document.problems:
        check_files(plans, planner)
    if foreign.is_spacys(loaded.config):
        # What the heading says need not be said of each section.
        problems = [replace(each, message=each.message.removesuffix(foreign.ANEW)) for each in loaded.document.problems]
        converting = f"trainer convert-config {loaded.path} writes ours for a text classifier, a tagger or entities"
        heading = f"{loaded.path}: this is a config of spaCy's: {converting}"
        raise config_error(problems, heading, most=len(problems))
    loaded.check()
    settings = {name: build(plans[name], loaded.document) for name in SETTINGS}
    return RunConfig(
        loaded,
        {name: plan for name, plan in plans.items() if name not in SETTINGS and name != FREE},
        registry,
        training=cast(Training, settings["training"]),
        system=cast(System, settings["system"]),
        checkpoints=cast(Checkpoints, settings["checkpoints"]),
    )
