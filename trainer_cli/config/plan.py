"""Checking blocks against the functions they name, all of them before any is called."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast

from trainer_cli.config import foreign
from trainer_cli.config.annotations import dataclass_inside, dataclass_of
from trainer_cli.config.call import Call
from trainer_cli.config.convert import convert
from trainer_cli.config.document import BROKEN, GUESSED, Broken, Document, Entry
from trainer_cli.config.mismatch import MismatchError
from trainer_cli.config.parameters import REQUIRED, Parameter, Signature, signature_of
from trainer_cli.config.sections import SETTINGS
from trainer_cli.config.words import alternatives, say
from trainer_cli.errors import ConfigError
from trainer_cli.registry import Registry

MAX_SAID = 12
WITHOUT_SIGN = "the name of a function stands after @: write @{}"


@dataclass
class Planner:
    """Turns a config's values into what the annotations want, and its blocks into Calls.

    Mistakes go to the document's problems, each at its line, and leave BROKEN behind. With `kinds` only functions of
    these kinds can be named. `defaults` holds, by kind and argument, values for blocks that do not set the argument;
    `defaulted` counts the blocks that took one.
    """

    registry: Registry
    document: Document
    kinds: Collection[str] | None = None
    defaults: dict[tuple[str, str], tuple[Any, str]] = field(default_factory=dict)
    defaulted: int = 0

    def complain(self, where: str, message: str) -> None:
        self.document.problems.append(self.document.problem(where, message))

    def value(self, value: Any, annotation: Any, where: str) -> Any:
        """The value as `annotation` wants it, blocks in it as Calls; BROKEN after a mistake."""
        if isinstance(value, Broken):
            return BROKEN
        if is_block(value):
            found: Any = self.block(value, where, annotation)
        elif isinstance(value, dict):
            forgotten = self.forgotten_sign(value)
            if forgotten is not None and self.registry.has(forgotten, value[forgotten]):
                self.complain(f"{where}.{forgotten}", WITHOUT_SIGN.format(forgotten))
                return BROKEN
            kind = dataclass_of(annotation)
            if kind is not None:
                return self.call(Call(kind, f"[{where}]", where), value)
            inner = dataclass_inside(annotation)
            found = {key: self.value(item, inner, f"{where}.{key}") for key, item in value.items()}
        elif isinstance(value, list):
            inner = dataclass_inside(annotation)
            found = [self.value(item, inner, f"{where}[{i}]") for i, item in enumerate(value)]
        else:
            found = value
        return self.fit(found, annotation, where)

    def fit(self, value: Any, annotation: Any, where: str) -> Any:
        if has_broken(value):
            return BROKEN
        try:
            return convert(value, annotation)
        except MismatchError as err:
            bare = self.document.find(where)
            kind = self.forgotten_sign(value)
            if isinstance(bare, Entry) and bare.bare:
                self.complain(where, "needs a value")
            elif kind is not None:
                self.complain(f"{where}.{kind}", WITHOUT_SIGN.format(kind))
            else:
                self.complain(where + err.where, str(err))
            return BROKEN

    def forgotten_sign(self, value: Any) -> str | None:
        """The key of a section that names a function but for the sign: `layers = "Relu.v1"`."""
        keys = value if isinstance(value, dict) and not is_block(value) else ()
        return next((key for key in keys if key in self.registry.kinds and isinstance(value[key], str)), None)

    def block(self, block: dict[str, Any], where: str, expects: Any) -> Any:
        """A block that names a registered function, as a Call."""
        kind, name, function = self.function(block, where)
        given = {key: value for key, value in block.items() if not key.startswith("@")}
        if function is None:
            # Its blocks can be checked all the same.
            for key, value in given.items():
                self.value(value, Any, f"{where}.{key}")
            return BROKEN
        return self.call(Call(function, name, where, kind, expects=expects), given)

    def function(self, block: dict[str, Any], where: str) -> tuple[str, str, Callable[..., Any] | None]:
        keys = [key for key in block if key.startswith("@")]
        key, kind, name = keys[0], keys[0][1:], block[keys[0]]
        if len(keys) > 1:
            self.complain(f"{where}.{keys[1]}", f"a section can name one function, this one has {alternatives(keys)}")
        elif kind not in self.registry.kinds:
            suggestion = self.document.nearest(kind, self.registry.kinds, ". Did you mean @{}?")
            self.complain(f"{where}.{key}", f"no registry is called @{kind}{suggestion}")
        elif self.kinds is not None and kind not in self.kinds:
            allowed = alternatives([f"@{each}" for each in sorted(self.kinds)])
            self.complain(f"{where}.{key}", f"only {allowed} can be named here, not @{kind}")
        elif not isinstance(name, str):
            if not isinstance(name, Broken):
                self.complain(f"{where}.{key}", f"expected the name of a function, got {say(name)}")
        else:
            return kind, name, self.look_up(kind, name, f"{where}.{key}")
        return kind, str(name), None

    def look_up(self, kind: str, name: str, where: str) -> Callable[..., Any] | None:
        try:
            return cast(Callable[..., Any], self.registry.get(kind, name))
        except ConfigError as err:
            replacement = foreign.of_function(name)
            found = f"no {kind} function is called {name!r}. {replacement}" if replacement else str(err)
            self.complain(where, found.removesuffix("."))
            return None

    def call(self, call: Call, given: dict[str, Any]) -> Any:
        """The Call with its arguments, checked one by one against the function's signature."""
        before = len(self.document.problems)
        signature = signature_of(call.function)
        call = replace(call, returns=signature.returns)
        keywords = {key: value for key, value in given.items() if key != "*"}
        stars = given.get("*", {})
        suggested = self.check_names(keywords, stars, signature, call)
        bound = {key: self.argument(key, value, signature, call) for key, value in keywords.items()}
        bound |= self.defaults_for(call.kind, signature, keywords)
        rest = self.positional(stars, signature, call, bound)
        for name, parameter in signature.named.items():
            if parameter.default is REQUIRED and name not in bound and name not in suggested and rest is not BROKEN:
                where = f"{call.where}.{name}"
                as_section = (
                    f", as a section [{where}]" if call.kind == "layers" and parameter.annotation is Any else ""
                )
                self.complain(where, f"is missing: {call.name} needs it{as_section}")
        if len(self.document.problems) > before or rest is BROKEN or has_broken(bound):
            # What it returns can be checked all the same.
            self.fit(call, call.expects, call.where)
            return BROKEN
        return arranged(call, signature, bound, rest)

    def check_names(self, keywords: dict[str, Any], stars: Any, signature: Signature, call: Call) -> set[str]:
        """Refuse arguments that the function has not; returns those that were probably meant."""
        suggested = set()
        blocks = list(stars) if isinstance(stars, dict) else []
        for key, value in keywords.items():
            if key in signature.named or signature.keywords is not None or value is GUESSED:
                continue
            # Those that are set already as well: an override aims at exactly these.
            close = self.document.nearest(key, [*signature.named, *blocks])
            suggested.add(close)
            meant = f"Did you mean {close}?" if close else what_it_takes(signature, f"{call.where}.*.{key}")
            if not call.kind and (other := section_of(key)) not in ("", call.where):
                meant = f"It belongs into [{other}]"
            meant = foreign.of_key(f"{call.where}.{key}") or meant
            kind = "argument" if call.kind else "key"
            self.complain(f"{call.where}.{key}", f"{call.name} has no {kind} {key}. {meant}")
        return suggested

    def argument(self, key: str, value: Any, signature: Signature, call: Call) -> Any:
        parameter = signature.named.get(key) or signature.keywords or Parameter(key)
        where = f"{call.where}.{key}".removeprefix(".")
        if value is None and parameter.default is None:
            return None
        planned = self.value(value, parameter.annotation, where)
        for rule in getattr(parameter.annotation, "__metadata__", ()):
            if callable(rule) and planned is not BROKEN and (wrong := rule(planned)):
                self.complain(where, wrong)
        return called(planned, key)

    def defaults_for(self, kind: str, signature: Signature, keywords: dict[str, Any]) -> dict[str, Any]:
        """What the config says once for all blocks of a kind, as `[training] dropout` does for layers."""
        found = {}
        for (of_kind, name), (value, where) in self.defaults.items():
            if kind == of_kind and name in signature.named and name not in keywords:
                self.defaulted += 1
                found[name] = self.value(value, signature.named[name].annotation, where)
        return found

    def positional(self, stars: Any, signature: Signature, call: Call, bound: dict[str, Any]) -> Any:
        """The values of `*args`. Positional blocks fill the arguments that are left first, as in Python; these go to
        `bound`."""
        if not isinstance(stars, dict | list):
            if not isinstance(stars, Broken):
                self.complain(f"{call.where}.*", f"expected a list or sections [{call.where}.*.name], got {say(stars)}")
            return BROKEN
        named = isinstance(stars, dict)
        items = list(stars.items()) if isinstance(stars, dict) else [(f"[{i}]", value) for i, value in enumerate(stars)]
        free = [signature.named[name] for name in signature.positional if name not in bound]
        rest = []
        for key, value in items:
            where = f"{call.where}.*{'.' if named else ''}{key}"
            parameter = free.pop(0) if free else signature.rest
            if parameter is None:
                self.complain(where, f"{call.name} takes {n_positional(signature)} positional sections")
                return BROKEN
            planned = called(self.value(value, parameter.annotation, where), key if named else "")
            if parameter is signature.rest:
                rest.append(planned)
            else:
                bound[parameter.name] = planned
        return BROKEN if has_broken(rest) else rest


def arranged(call: Call, signature: Signature, bound: dict[str, Any], rest: list[Any]) -> Call:
    """Give by position what Python cannot take by name."""
    names = signature.positional if rest else signature.only_positional
    given = {name: bound.get(name, signature.named[name].default) for name in names if rest or name in bound}
    keywords = {name: value for name, value in bound.items() if name not in given}
    return replace(call, positional=(*given.values(), *rest), keywords=keywords)


def called(planned: Any, name: str) -> Any:
    return replace(planned, called=name) if isinstance(planned, Call) else planned


def is_block(value: Any) -> bool:
    """Whether a value names a registered function."""
    return isinstance(value, dict) and any(isinstance(key, str) and key.startswith("@") for key in value)


def has_broken(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_broken(item) for item in value.values())
    if isinstance(value, list):
        return any(has_broken(item) for item in value)
    return isinstance(value, Broken)


def what_it_takes(signature: Signature, positional: str) -> str:
    names = list(signature.named)
    more = f" and {len(names) - MAX_SAID} more" if len(names) > MAX_SAID else ""
    if signature.rest is not None:
        return f"It takes sections like [{positional}]"
    return f"It has {', '.join(names[:MAX_SAID]) or 'none'}{more}"


def section_of(key: str) -> str:
    """The section of the runner's own settings that has a key, or an empty text."""
    return next((name for name, kind in SETTINGS.items() if key in {each.name for each in fields(kind)}), "")


def n_positional(signature: Signature) -> str:
    return f"at most {len(signature.positional)}" if signature.positional else "no"
