"""Checking that a run's config has the sections it needs and no other."""

from __future__ import annotations

from typing import Any

from trainer_cli.config import foreign
from trainer_cli.config.call import Call
from trainer_cli.config.document import BROKEN, Broken
from trainer_cli.config.loaded import Loaded
from trainer_cli.config.plan import WITHOUT_SIGN, Planner, is_block
from trainer_cli.config.sections import CACHE, FREE, KNOWN, PARTS, REQUIRED, SETTINGS, Part
from trainer_cli.config.words import alternatives, say


def check_sections(loaded: Loaded, planner: Planner) -> dict[str, Any]:
    """Plan every section of a run: settings as dataclasses, parts as Calls. Mistakes go to the document."""
    config = loaded.config
    guessed = refuse_unread(loaded, planner)
    if "" in loaded.document.guessed:
        # A header that nobody can guess may have been that of any section that is only implied.
        guessed |= {name for name, section in loaded.document.sections.items() if not section.written}
    plans: dict[str, Any] = {}
    for name, kind in SETTINGS.items():
        given = config.get(name, {})
        given = weighted(given, planner) if name == "training" else given
        plans[name] = planner.call(Call(kind, f"[{name}]", name), given)
    dropout = config.get("training", {}).get("dropout")
    if dropout is not None:
        # After a mistake in [training] it is enough that it was reported there.
        value = dropout if isinstance(plans["training"], Call) else BROKEN
        planner.defaults[("layers", "dropout")] = (value, "training.dropout")
    for name, part in PARTS.items():
        if name in config:
            plans[name] = check_part(config[name], part, name, planner, guessed)
    for name in REQUIRED if not foreign.is_spacys(config) else ():
        section, _, inner = name.partition(".")
        found = inner in config.get(section, {}) if inner else section in config
        # A header that could not be read may have been this one.
        if not found and name not in guessed and not loaded.document.guessed:
            planner.complain(name, f"the section [{name}] is missing")
    return plans


def refuse_unread(loaded: Loaded, planner: Planner) -> set[str]:
    """Refuse sections that neither the run nor a variable reads; returns those that were probably meant."""
    # A config of spaCy's may point at keys of its components, which does not make them ours.
    pointed = set() if foreign.is_spacys(loaded.config) else {name.split(".")[0] for name in loaded.variables}
    guessed = set()
    for name in loaded.config:
        if name in pointed | set(KNOWN) | loaded.document.guessed:
            continue
        if foreign.of_key(name):
            refuse_foreign(name, planner)
            continue
        close = planner.document.nearest(name, KNOWN)
        guessed |= {close, f"{close}.train"}
        meant = f"Did you mean [{close}]?" if close else f"A run reads {', '.join(KNOWN)}"
        planner.complain(name, f"nothing reads the section [{name}]. {meant}")
    refuse_unread_paths(loaded, planner)
    return guessed


def refuse_foreign(name: str, planner: Planner) -> None:
    """Refuse a section of spaCy's: each of its keys is told, with those of the same section and replacement."""
    below = {each: section for each, section in planner.document.sections.items() if within(each, name)}
    for where, section in below.items():
        said: dict[str, list[str]] = {}
        for key in section.entries:
            said.setdefault(foreign.around(f"{where}.{key}"), []).append(key)
        for sentence, keys in said.items():
            planner.complain(f"{where}.{keys[0]}", f"nothing reads {listed(keys)} of [{where}]. {sentence}")
        if not section.entries and not any(within(other, where) for other in below if other != where):
            planner.complain(where, f"nothing reads the section [{where}]. {foreign.around(where)}")


def within(name: str, section: str) -> bool:
    return name == section or name.startswith(f"{section}.")


def listed(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} and {keys[-1]}"


def refuse_unread_paths(loaded: Loaded, planner: Planner) -> None:
    """[paths] may hold anything, but an override that adds a path nothing reads is a slip."""
    section = loaded.document.sections.get(FREE)
    entries = section.entries if section else {}
    known = {
        key: entry
        for key, entry in entries.items()
        if entry.origin.kind == "file" or key == CACHE or f"{FREE}.{key}" in loaded.variables
    }
    for key in entries:
        if key not in known:
            meant = planner.document.nearest(key, known, f". Did you mean {FREE}.{{}}?")
            planner.complain(f"{FREE}.{key}", f"nothing reads {FREE}.{key}{meant}")


def check_part(value: Any, part: Part, where: str, planner: Planner, guessed: set[str]) -> Any:
    if isinstance(value, Broken):
        return BROKEN
    if part.one and is_block(value):
        return check_block(without_sets(value, part, where, planner), part, where, planner)
    if not part.many or (part.one and not holds_sections(value)):
        if where not in guessed:
            complain_of_no_block(value, part, where, planner)
        return BROKEN
    if is_block(value):
        key = next(key for key in value if key.startswith("@"))
        names = [name for name, each in part.inner.items() if each.kind == part.kind]
        inner = alternatives([f"[{where}.{name}]" for name in names or ("NAME",)])
        guessed |= {f"{where}.{name}" for name in part.inner}
        planner.complain(f"{where}.{key}", f"stands in a section of its own: write {inner} instead of [{where}]")
        return BROKEN
    if not isinstance(value, dict):
        planner.complain(where, f"expected sections [{where}.name], got {say(value)}")
        return BROKEN
    plans = {}
    for name, inner in value.items():
        if part.inner and name not in part.inner:
            close = planner.document.nearest(name, part.inner)
            guessed.add(f"{where}.{close}")
            others = " (trainer evaluate takes other data)" if where == "data" else ""
            meant = f"Did you mean {close}?" if close else f"It can have {alternatives(list(part.inner))}{others}"
            planner.complain(f"{where}.{name}", f"[{where}] has no {name}. {meant}")
        else:
            plans[name] = check_part(inner, part.inner.get(name, Part(part.kind)), f"{where}.{name}", planner, guessed)
    return plans


def weighted(training: Any, planner: Planner) -> Any:
    """[training] without the scores whose weight is null, as spaCy's configs have them; each of them is told."""
    weights = training.get("score_weights") if isinstance(training, dict) else None
    if not isinstance(weights, dict) or None not in weights.values():
        return training
    for name, weight in weights.items():
        if weight is None:
            planner.complain(f"training.score_weights.{name}", foreign.of_key("training.score_weights"))
    return training | {"score_weights": {name: weight for name, weight in weights.items() if weight is not None}}


def holds_sections(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(inner, dict | Broken) for inner in value.values())


def without_sets(block: dict[str, Any], part: Part, where: str, planner: Planner) -> dict[str, Any]:
    """A block without the sections beside it that would be others of its kind: each needs a name, or none."""
    key = f"@{part.kind}"
    others = [name for name, inner in block.items() if part.many and isinstance(inner, dict) and key in inner]
    for name in others:
        planner.complain(
            f"{where}.{name}", f"[{where}] has a line {key} itself: make it [{where}.NAME], or leave it alone"
        )
    return {name: inner for name, inner in block.items() if name not in others}


def complain_of_no_block(value: Any, part: Part, where: str, planner: Planner) -> None:
    if isinstance(value, dict) and isinstance(value.get(part.kind), str):
        planner.complain(f"{where}.{part.kind}", WITHOUT_SIGN.format(part.kind))
    elif isinstance(value, dict):
        planner.complain(where, f'expected a line @{part.kind} = "...", got a section without one')
    else:
        planner.complain(where, f'expected a section [{where}] with a line @{part.kind} = "...", got {say(value)}')


def check_block(block: dict[str, Any], part: Part, where: str, planner: Planner) -> Any:
    kind = next(key for key in block if key.startswith("@"))[1:]
    if kind != part.kind and kind in planner.registry.kinds:
        planner.complain(f"{where}.@{kind}", f"expected a function of @{part.kind}, got @{kind}")
        return BROKEN
    return planner.value(block, part.annotation, where)
