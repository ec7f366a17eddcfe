"""What the bits of a run depend on: written to run.json before the first arithmetic, compared at a resume."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import __version__, json_text
from trainer_cli.config.registry import registry
from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ArgumentError, ModelFileError
from trainer_cli.manifest import check_format

FORMAT = 1
NAME = "run.json"

# What may differ between a run and its resumption: where things lie, when to stop, what is kept, who is told.
FREE_SECTIONS = ("paths", "checkpoints", "loggers")
FREE_TRAINING = ("max_epochs", "max_steps", "max_time", "patience")


def provenance(
    *, seed: int, ops: str, threads: int, data: Mapping[str, Mapping[str, Any]], code: Sequence[Path]
) -> dict[str, Any]:
    """The facts by name. `data` has for each set its absolute files and their sha256."""
    versions = {"trainer": __version__, "python": platform.python_version(), "numpy": np.__version__, "blas": blas()}
    if ops == "numba":
        import numba

        versions["numba"] = numba.__version__
    return {
        "format": FORMAT,
        "versions": versions,
        "seed": seed,
        "ops": ops,
        "threads": threads,
        "cpu": cpu(),
        "data": {name: dict(facts) for name, facts in data.items()},
        "code": [{"path": str(path.resolve()), "sha256": sha256(path)} for path in code],
    }


def data_facts(section: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """One data set's section of the config with its paths made absolute, and the sha256 of its content."""
    files = {str(path) for path in getattr(reader, "files", tuple)()}
    absolute = {key: str(Path(value).resolve()) if value in files else value for key, value in section.items()}
    return {"section": absolute, "sha256": fingerprint(reader)}


def read(run_dir: Path) -> dict[str, Any]:
    """What run.json says; ModelFileError if it is not one of ours."""
    path = run_dir / NAME
    try:
        found = json_text.loads(path.read_bytes())
    except (OSError, ValueError) as err:
        raise ModelFileError(f"{path}: cannot be read: {err}") from err
    check_format(found, path)
    assert isinstance(found, dict)
    return found


def dev_reader(run_dir: Path) -> Reader:
    """The reader of a run's dev data."""
    data = read(run_dir).get("data")
    section = data.get("dev", {}).get("section") if isinstance(data, dict) else None
    if section is None:
        raise ArgumentError(f"{run_dir}: this run had no dev data; name a data file after it")
    reader: Reader = registry.resolve({"dev": section}, kinds={"readers"})["dev"]
    return reader


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed between two provenances so that other bits would follow, a sentence each."""
    found = [
        f"{name}: was {before.get('versions', {}).get(name)}, is {version}"
        for name, version in now["versions"].items()
        if before.get("versions", {}).get(name) != version
    ]
    found += [
        f"{key}: was {before.get(key)}, is {now[key]}" for key in ("ops", "threads") if before.get(key) != now[key]
    ]
    for name in sorted(before.get("data", {}).keys() | now["data"].keys()):
        if before.get("data", {}).get(name, {}).get("sha256") != now["data"].get(name, {}).get("sha256"):
            found.append(f"data.{name}: the content of its files has changed")
    if [code["sha256"] for code in before.get("code", [])] != [code["sha256"] for code in now["code"]]:
        found.append("code: the files given with --code have changed")
    return found


def config_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed between two configs so that other bits would follow, a sentence each."""
    old, new = dict(flat(bits(before))), dict(flat(bits(now)))
    return [
        f"{key}: was {old.get(key, 'not set')!r}, is {new.get(key, 'not set')!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def bits(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that the bits of a run depend on."""
    kept = {name: section for name, section in config.items() if name not in FREE_SECTIONS}
    kept["training"] = {k: v for k, v in config.get("training", {}).items() if k not in FREE_TRAINING}
    # Data is compared by content, threads and ops as they were resolved.
    kept["data"] = {name: without_paths(section) for name, section in config.get("data", {}).items() if name != "test"}
    kept["system"] = {"seed": config.get("system", {}).get("seed", 0)}
    return kept


def without_paths(section: Any) -> Any:
    if not isinstance(section, Mapping):
        return section
    return {key: value for key, value in section.items() if key not in ("path", "images", "labels")}


def flat(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Every value with its dotted name."""
    found: list[tuple[str, Any]] = []
    for key, value in config.items():
        found += flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else [(f"{prefix}{key}", value)]
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def blas() -> str:
    """The library behind matrix products, its version and the kernel it chose for this processor."""
    from threadpoolctl import threadpool_info

    found = [info for info in threadpool_info() if info.get("user_api") == "blas"]
    parts = (
        f"{info.get('internal_api')} {info.get('version')} {info.get('architecture', '')}".strip() for info in found
    )
    return "; ".join(sorted(set(parts)))


def cpu() -> str:
    """The processor's name; equal bits are promised on one kind of processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
