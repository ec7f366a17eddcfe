"""What has changed since a run began so that other bits may follow: its provenance, and its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# The kinds of change that a resume refuses, each unless it is allowed by its name.
KINDS = ("config", "data", "code", "versions", "threads", "ops")
# Another processor may change the bits as well, but machines are exchanged: that is told and recorded.
TOLD = "cpu"

# What may differ between a run and its resumption: where things lie, when to stop, what is kept, who is told, who
# computes.
FREE_SECTIONS = ("paths", "checkpoints", "loggers", "cluster")
FREE_TRAINING = ("max_epochs", "max_steps", "max_time", "patience")


def of_facts(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """What has changed between two provenances so that other bits may follow: by kind, a sentence each."""
    old, new = data_of(before), data_of(now)
    found = {
        "data": [
            f"{name}: {changed}"
            for name in sorted(old.keys() | new.keys())
            if (changed := data_change(old.get(name), new.get(name)))
        ],
        "code": changed_values("--code", code_names(before), code_names(now)),
        "threads": changed_values("system.threads", before.get("threads"), now["threads"]),
        "ops": changed_values("system.ops", before.get("ops"), now["ops"]),
        TOLD: changed_values("processor", before.get("cpu"), now["cpu"]),
    }
    versions = [
        line
        for name in sorted(before["versions"].keys() & now["versions"].keys())
        for line in changed_values(name, before["versions"][name], now["versions"][name])
    ]
    return {kind: lines for kind, lines in {**found, "versions": versions}.items() if lines}


def data_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The files whose content a run depends on, by the key that names them."""
    # The content of a split is that of the training data.
    found = {f"data.{name}": part for name, part in facts["data"].items() if name != "split"}
    return found | ({"training.init_from": facts["init_from"]} if isinstance(facts.get("init_from"), dict) else {})


def changed_values(name: str, before: object, now: object) -> list[str]:
    return [] if before == now else [f"{name}: was {before}, is {now}"]


def data_change(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if before is None or now is None:
        return "is new" if now else "is gone"
    return "" if before.get("sha256") == now.get("sha256") else "its content has changed"


def code_names(facts: Mapping[str, Any]) -> str:
    """The files of --code by name and the beginning of their sha256; the folder they lie in does not matter."""
    names = [f"{Path(code['path']).name} ({code['sha256'][:12]})" for code in facts["code"]]
    return ", ".join(names) or "nothing"


def of_config(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed between two configs so that other bits would follow, a sentence each."""
    old, new = dict(flat(bits(before))), dict(flat(bits(now)))
    return [
        f"{key}: was {old.get(key, 'not set')!r}, is {new.get(key, 'not set')!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def of_limits(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed in when a run stops, a sentence each."""
    old, new = before.get("training", {}), now.get("training", {})
    return [
        line for key in FREE_TRAINING for line in changed_values(f"training.{key}", old.get(key, 0), new.get(key, 0))
    ]


def bits(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that the bits of a run depend on."""
    kept = {name: section for name, section in config.items() if name not in FREE_SECTIONS}
    kept["training"] = {k: v for k, v in config.get("training", {}).items() if k not in FREE_TRAINING}
    # Data and first numbers are compared by content, threads and ops as they were resolved.
    kept["training"]["init_from"] = parts_of(config.get("training", {}).get("init_from"))
    kept["data"] = {name: without_paths(section) for name, section in config.get("data", {}).items()}
    kept["system"] = {"seed": config.get("system", {}).get("seed", 0)}
    return kept


def parts_of(init_from: object) -> list[str]:
    """Of what `[training] init_from` says, which parts of the model it is for; none is all."""
    only = init_from.get("only") if isinstance(init_from, Mapping) else None
    return list(only or ())


def without_paths(section: Any) -> Any:
    if not isinstance(section, Mapping):
        return section
    return {key: without_paths(value) for key, value in section.items() if key not in ("path", "images", "labels")}


def flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted name."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
