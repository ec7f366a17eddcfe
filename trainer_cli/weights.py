"""A model's numbers by the names that others know them by: to be written to a file, and read from one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer_cli import lookup, tensors
from trainer_cli.arrays import Array
from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.sections import InitFrom
from trainer_cli.errors import ArgumentError, ConfigError, TrainerError
from trainer_cli.model import Model
from trainer_cli.registry import nearest
from trainer_cli.wrappers.engine import PREFIX, Engine, engines_of
from trainer_cli.wrappers.torch_state import uncompiled

KEY = "training.init_from"
PARAMS = "params.safetensors"
# How many names are told of those that do not fit.
SHOWN = 5
# What PyTorch and pickle call files that run code when they are read.
PICKLED = (".pt", ".pth", ".bin", ".pkl", ".ckpt")


def exported(model: Model) -> dict[str, Array]:
    """Parameters and buffers by name. Those of a model that is one wrapped module have the names that this has for
    them, what is tied under each."""
    learnt, node = model.store.learnt(), alone(model, ())
    if node is None or engine_of(node) is None:
        return learnt
    return {name: learnt[node.full_name(held)] for name, held in state_names(node).items()}


def begin_with(config: RunConfig, model: Model) -> None:
    """Give a new model the numbers that `[training] init_from` names. ConfigError: they are not there, or another's."""
    asked = asked_of(config)
    if asked is None:
        return
    with at_key(config, asked.path):
        libraries = {engine.library for engine in engines_of(model)}
        fill(model, tensors.from_bytes(content(asked.path, libraries), asked.path), asked)


@contextmanager
def at_key(config: RunConfig, path: Path) -> Iterator[None]:
    """Give mistakes in a file of first numbers their place in the config."""
    try:
        yield
    except TrainerError as err:
        raise ConfigError(problems=[config.problem(KEY, line) for line in told(err, path)]) from err


def asked_of(config: RunConfig) -> InitFrom | None:
    """What `[training] init_from` says, if anything."""
    given = config.training.init_from
    return InitFrom(given) if isinstance(given, Path) else given


def content(path: Path, libraries: Collection[str] = ()) -> bytes:
    """The bytes of a safetensors file, or of the one in a run, a checkpoint or a model folder. `libraries` are those of
    the model's modules."""
    if path.is_dir():
        files = lookup.find(path).files
        if PARAMS not in files:
            raise ArgumentError(f"{path}: has no {PARAMS}: this is no model folder")
        return files[PARAMS]
    if path.suffix in PICKLED:
        remedy = "safetensors.torch.save_file(module.state_dict(), FILE) writes what can be read"
        if "thinc" in libraries:
            setting = f'weights = "{path}" beside @layers = "ThincWrapper.v1"'
            raise ArgumentError(f"{path}: is no safetensors file; {setting} reads what model.to_bytes() of thinc wrote")
        raise ArgumentError(f"{path}: reading such a file could run code in it; {remedy}")
    try:
        return path.read_bytes()
    except OSError as err:
        raise ArgumentError(f"{path}: cannot be read: {err.strerror or err}") from err


def told(err: TrainerError, path: Path) -> Iterator[str]:
    """The lines of an error, each with the path that was asked for."""
    for line in str(err).splitlines():
        yield line if line.startswith(str(path)) else f"{path}: {line}"


@dataclass(frozen=True)
class Place:
    """A parameter or buffer, called `plain` in messages. `names` are those that it may have in a file, its own first.

    It may lack there if it is not `needed`. `kind` is that of the numbers that fit.
    """

    array: Array
    plain: str
    names: Sequence[str]
    needed: bool
    kind: str


def fill(model: Model, arrays: Mapping[str, Array], asked: InitFrom) -> None:
    """Copy named arrays into a model; with `only`, those of these layers or parameters, and others are left alone.

    ArgumentError, a line a mistake: names are missing or superfluous, or what they name does not fit.
    """
    arrays = {uncompiled(name): array for name, array in arrays.items()}
    places = {name: place for name, place in places_of(model, asked.only).items() if is_chosen(place, asked.only)}
    check_only(model, places, asked.only)
    found = matched(places, arrays)
    known = {name for names in found.values() for name in names}
    missing = [place.plain for name, place in places.items() if place.needed and name not in found]
    superfluous = [name for name in arrays if name not in known and (not asked.only or below(name, asked.only))]
    others = missing or [place.plain for place in places.values()]
    faults = [*absent(missing, superfluous), *unknown(superfluous, others)]
    for name, names in found.items():
        faults += unfit(places[name], names, arrays)
    if faults:
        raise ArgumentError("\n".join(faults))
    for name, names in found.items():
        places[name].array[...] = arrays[names[0]]
    model.store.buffers.restart()


def places_of(model: Model, only: Sequence[str]) -> dict[str, Place]:
    """Each parameter and buffer by its name in the model."""
    names = {name: [name] for name in model.store.learnt()}
    plain = {name: name for name in names}
    optional, lone = set[str](), alone(model, only)
    for node in model.walk():
        if engine_of(node) is None:
            continue
        state = state_names(node)
        optional |= {node.full_name(name) for name in held(node) if name not in state.values()}
        for name, of in state.items():
            others = [node.full_name(f"{PREFIX}{name}"), node.full_name(name)]
            others += [f"{PREFIX}{name}", name] if node is lone else []
            if names[node.full_name(of)] == [node.full_name(of)]:
                plain[node.full_name(of)] = others[-1]
            names[node.full_name(of)] += others
    exact = model.store.buffers.exact
    return {
        name: Place(
            array, plain[name], tuple(dict.fromkeys(names[name])), name not in optional, kind_of(array, name in exact)
        )
        for name, array in model.store.learnt().items()
    }


def kind_of(array: Array, is_exact: bool) -> str:
    return "floats" if array.dtype.kind == "f" or not is_exact else str(array.dtype)


def matched(places: Mapping[str, Place], arrays: Mapping[str, Array]) -> dict[str, list[str]]:
    """The names in the file of each place that is there: a name means the place that is called so, if there is one."""
    found = {name: [name] for name in places if name in arrays}
    for name, place in places.items():
        others = [other for other in place.names[1:] if other in arrays and other not in places]
        if others:
            found[name] = [*found.get(name, []), *others]
    return found


def check_only(model: Model, places: Mapping[str, Place], only: Sequence[str]) -> None:
    """ArgumentError: `only` names what the model has not."""
    known = [node.path for node in model.walk() if node.path] + list(model.store.learnt())
    for each in only:
        if not any(below(other, [each]) for place in places.values() for other in place.names):
            raise ArgumentError(f"only: the model has no layer or parameter {each!r}.{nearest(each, known)}")


def absent(missing: Sequence[str], superfluous: Sequence[str]) -> list[str]:
    lines = [
        f"the model's {name} is not in it.{nearest(name, list(superfluous), ' The nearest there is {}')}"
        for name in missing[:SHOWN]
    ]
    more = len(missing) - SHOWN
    return lines + ([f"{more} more parameters of the model are not in it"] if more > 0 else [])


def unknown(superfluous: Sequence[str], near: Sequence[str]) -> list[str]:
    lines = [
        f"it has {name}, which is no parameter of the model.{nearest(name, list(near), ' The nearest is {}')}"
        for name in superfluous[:SHOWN]
    ]
    more = len(superfluous) - SHOWN
    return lines + ([f"it has {more} more names that are none of the model"] if more > 0 else [])


def unfit(place: Place, names: Sequence[str], arrays: Mapping[str, Array]) -> Iterator[str]:
    """What is wrong with the arrays of one place."""
    first = arrays[names[0]]
    for name in names:
        array = arrays[name]
        if array.shape != place.array.shape:
            yield f"{name} has shape {array.shape}, the model needs {place.array.shape}"
        elif not (array.dtype.kind == "f" if place.kind == "floats" else str(array.dtype) == place.kind):
            yield f"{name} is {array.dtype}, the model needs {place.kind}"
        elif not np.isfinite(array).all():
            yield f"{name} has numbers that are not finite"
        elif not np.array_equal(array, first):
            yield f"{name} and {names[0]} are one parameter of the model, and differ"


def is_chosen(place: Place, only: Sequence[str]) -> bool:
    return not only or any(below(name, only) for name in place.names)


def below(name: str, only: Sequence[str]) -> bool:
    """Whether a name is one of `only`, or of what lies in one of these.

    >>> below("hidden.W", ["hidden"]), below("hidden2.W", ["hidden"])
    (True, False)
    """
    return any(name == each or name.startswith(f"{each}.") for each in only)


def alone(model: Model, only: Sequence[str]) -> Model | None:
    """The one layer (of those in `only`) that holds all there is, if it is one."""
    holders = [node for node in model.walk() if held(node) and (not only or below(node.path, only))]
    return holders[0] if len(holders) == 1 else None


def held(node: Model) -> list[str]:
    """The names of the parameters and buffers of one layer that are set."""
    params = [name for name in node.param_names if node.has_param(name)]
    return params + [name for name in node.buffer_names if node.has_buffer(name)]


def state_names(node: Model) -> dict[str, str]:
    engine = engine_of(node)
    return engine.state_names(held(node)) if engine is not None else {}


def engine_of(node: Model) -> Engine | None:
    found = node.attrs.get("engine")
    return found if isinstance(found, Engine) else None
