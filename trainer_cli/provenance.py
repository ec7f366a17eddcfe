"""What the bits of a run depend on: written to run.json before the first arithmetic, compared at a resume."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainer_cli import __version__, json_text
from trainer_cli.config.registry import registry
from trainer_cli.data.division import PartReader, divide
from trainer_cli.data.fingerprint import Contents, fingerprint, sha256, whole
from trainer_cli.data.labelled import labelled
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ArgumentError, ModelFileError
from trainer_cli.manifest import check_format
from trainer_cli.sources import set_name

FORMAT = 1
NAME = "run.json"

KINDS_OF_FACTS = {
    "versions": dict,
    "data": dict,
    "code": list,
    "changes": list,
    "seed": int,
    "ops": str,
    "threads": int,
    "eval_batch_size": int,
}


@dataclass(frozen=True)
class Conditions:
    """Under which an evaluation gives the digits that the log of its run has."""

    ops: Literal["numpy", "numba"] = "numpy"
    threads: int = 1
    eval_batch_size: int = 1024


# Whose modules and optimizers may be a run's; what a config names is loaded by then.
LIBRARIES = ("jax", "optax", "thinc", "torch")


def provenance(
    conditions: Conditions, *, seed: int, data: Mapping[str, Mapping[str, Any]], code: Sequence[Path]
) -> dict[str, Any]:
    """The facts by name. `data` has for each set its absolute files and their sha256."""
    blas, kernel = blas_facts()
    versions = {"trainer": __version__, "python": platform.python_version(), "numpy": np.__version__, "blas": blas}
    if conditions.ops == "numba":
        import numba

        versions["numba"] = numba.__version__
    versions |= {name: sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules}
    return {
        "format": FORMAT,
        "versions": versions,
        "seed": seed,
        **asdict(conditions),
        "cpu": f"{cpu()} ({kernel})",
        "data": {name: dict(facts) for name, facts in data.items()},
        "code": [{"path": str(path.resolve()), "sha256": sha256(path)} for path in code],
        "changes": [],
    }


def data_facts(section: Mapping[str, Any], reader: Reader, found: Contents) -> dict[str, Any]:
    """One data set's section of the config with its paths made absolute, and the sha256 of what was found there."""
    named = getattr(reader, "paths", getattr(reader, "files", tuple))
    files = {Path(path) for path in named()}
    absolute = {
        key: str(Path(value).resolve()) if isinstance(value, str) and Path(value) in files else value
        for key, value in section.items()
    }
    return {"section": absolute, "sha256": whole(reader, found)}


def content_facts(path: Path, content: bytes) -> dict[str, Any]:
    """A file or folder that is no data, and the sha256 of what was read of it."""
    return {"path": str(path.resolve()), "sha256": hashlib.sha256(content).hexdigest()}


def split_facts(train: Mapping[str, Any], split: Mapping[str, Any], target: Sequence[str]) -> dict[str, Any]:
    """What gives the rows held out of the training data again: its own facts, the split, the target's columns."""
    return {**train, "split": dict(split), "target": list(target)}


def read(run_dir: Path) -> dict[str, Any]:
    """What run.json says; ModelFileError if it is not one of ours."""
    path = run_dir / NAME
    try:
        found = json_text.loads(path.read_bytes())
    except (OSError, ValueError) as err:
        raise ModelFileError(f"{path}: cannot be read: {err}") from err
    check_format(found, path)
    assert isinstance(found, dict)
    for key, kind in KINDS_OF_FACTS.items():
        if not isinstance(found.get(key), kind):
            raise ModelFileError(f"{path}: {key} is missing or of the wrong kind")
    parts = [("sha256", part) for part in found["data"].values()]
    parts += [(key, part) for part in found["code"] for key in ("path", "sha256")]
    if not all(isinstance(part, dict) and isinstance(part.get(key), str) for key, part in parts):
        raise ModelFileError(f"{path}: data or code is not what a run writes there")
    return found


def conditions(run_dir: Path | None) -> Conditions:
    """How a run evaluates, if it is known; without numba, in numpy, whose last digits may differ."""
    if run_dir is None or not (run_dir / NAME).exists():
        return Conditions()
    facts = read(run_dir)
    ops: Literal["numpy", "numba"] = "numba" if facts["ops"] == "numba" and find_spec("numba") else "numpy"
    return Conditions(ops, max(1, facts["threads"]), max(1, facts["eval_batch_size"]))


def changed_code(run_dir: Path | None, code: Sequence[Path]) -> list[str]:
    """A sentence for each file of code that a run had and that is another one now."""
    if run_dir is None or not code or not (run_dir / NAME).exists():
        return []
    known = {(Path(each["path"]).name, each["sha256"]) for each in read(run_dir)["code"]}
    names, contents = {name for name, _ in known}, {content for _, content in known}
    changed = [path for path in code if path.name in names and sha256(path) not in contents]
    return [f"{path}: has changed since the model was trained" for path in changed]


def data_at(run_dir: Path, path: Path) -> str:
    """The set of a run's data that a file is, or lies in the folder of: `train`, or the name of a dev set; else an
    empty text, as for a run that has not told where its data are."""
    if not (run_dir / NAME).exists():
        return ""
    resolved = path.resolve()
    for name, facts in read(run_dir)["data"].items():
        section = facts.get("section", facts)
        values = section.values() if isinstance(section, dict) else ()
        for value in (each for each in values if isinstance(each, str) and os.path.isabs(each)):
            if any(resolved.is_relative_to(Path(place).resolve()) for place in (value, *glob(value))):
                return "train" if name == "split" else set_name(name)
    return ""


def dev_readers(run_dir: Path, target: object = None) -> dict[str, Reader]:
    """The readers of a run's dev data by the names of the sets; `dev` for one that has none. The `target`, fitted, may
    leave rows out that have none."""
    facts = read(run_dir)
    data = facts["data"]
    sections = {set_name(name): data[name].get("section") for name in data if name not in ("train", "split")}
    if sections:
        readers = registry.resolve(sections, kinds={"readers"})
        return {name: labelled(reader, target) for name, reader in readers.items()}
    if "split" not in data:
        raise ArgumentError(f"{run_dir}: this run had no dev data; name a data file after it")
    return {"dev": held_out(facts, run_dir, target)["dev"]}


def last_reader(run_dir: Path, target: object = None) -> Reader:
    """The reader of the test rows, which a run's split held out of training and dev data alike."""
    facts = read(run_dir)
    part = held_out(facts, run_dir, target)["test"] if "split" in facts["data"] else None
    if part is None or part.n == 0:
        raise ArgumentError(f"{run_dir}: this run held no test rows out; [data.split] test = 0.1 does")
    return part


def held_out(facts: Mapping[str, Any], run_dir: Path, encoder: object) -> dict[str, PartReader]:
    """The training data of a run, divided as it was. ArgumentError: it has changed, and rows that the model was
    trained on might be among those held out now."""
    found = facts["data"]["split"]
    sections = {"train": found.get("section"), "split": found.get("split")}
    target = found.get("target")
    if not all(isinstance(section, dict) for section in sections.values()) or not isinstance(target, list):
        raise ModelFileError(f"{run_dir / NAME}: the split is not what a run writes there")
    parts = registry.resolve(sections, kinds={"readers", "splits"})
    train, split = parts["train"], parts["split"]
    if fingerprint(train) != found["sha256"]:
        message = "the data has changed since this run: which of its rows were held out cannot be told any more"
        raise ArgumentError(f"{run_dir}: {message}; name a data file after it")
    split.choose(train.columns(), tuple(target))
    return divide(labelled(train, encoder), split, facts["seed"])


def blas_facts() -> tuple[str, str]:
    """The library behind numpy's matrix products and its version, and the kernel it chose for this processor.

    Other packages may have brought libraries of their own into the process, which compute nothing here.
    """
    from threadpoolctl import threadpool_info

    found = [info for info in threadpool_info() if info.get("user_api") == "blas"]
    home = os.path.dirname(np.__file__)  # .../site-packages/numpy; its libraries lie in it or in numpy.libs
    found = [info for info in found if str(info.get("filepath", "")).startswith(home)] or found
    names = {f"{info.get('internal_api')} {info.get('version')}" for info in found}
    return "; ".join(sorted(names)), "; ".join(sorted({str(info.get("architecture", "")) for info in found}))


def cpu() -> str:
    """The processor's name; equal bits are promised on one kind of processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
