"""The names a config can use: one table a kind of part, filled by decorators.

`@registry.layers("Relu.v1")` above a definition registers it. A kind's built-in parts are imported at its first
look-up, so a run that names no PyTorch layer never imports PyTorch.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import catalogue

from trainer_cli.errors import ArgumentError, ConfigError

Part = TypeVar("Part")

# Comparing two names takes tens of microseconds.
MAX_COMPARED = 1000
# A message lists what there is where that is no more than this.
MAX_LISTED = 10

# What an argument or setting is called elsewhere, by its name without case and underscores.
SYNONYMS = {
    "lr": "learn_rate",
    "learningrate": "learn_rate",
    "batch": "batch_size",
    "batchsize": "batch_size",
    "epochs": "max_epochs",
    "nepochs": "max_epochs",
    "numepochs": "max_epochs",
    "steps": "max_steps",
    "nsteps": "max_steps",
    "units": "nO",
    "hiddensize": "nO",
    "outfeatures": "nO",
    "infeatures": "nI",
    "weightdecay": "L2",
    "crossentropy": "CategoricalCrossentropy",
    "crossentropyloss": "CategoricalCrossentropy",
    "mse": "MeanSquaredError",
    "bce": "BinaryCrossentropy",
    "layernormalization": "LayerNorm",
    "dense": "Linear",
}

KINDS = {
    "layers": "trainer_cli.layers trainer_cli.wrappers",
    "optimizers": "trainer_cli.optimizers",
    "schedules": "trainer_cli.schedules",
    "losses": "trainer_cli.losses",
    "initializers": "trainer_cli.initializers",
    "readers": "trainer_cli.data.readers",
    "splits": "trainer_cli.data.splits",
    "batchers": "trainer_cli.batchers",
    "encoders": "trainer_cli.data.encoders",
    "metrics": "trainer_cli.metrics",
    "loggers": "trainer_cli.loggers",
    "clusters": "trainer_cli.cluster",
}


class Kind(catalogue.Registry):
    """The parts of one kind by name. `home` has the packages that register the built-in ones."""

    def __init__(self, kind: str, home: str | None = None):
        # Entry points stay off: a misspelt name would load every installed package that offers one.
        super().__init__(("trainer_cli", kind), entry_points=False)
        self.kind = kind
        self.home = home

    def __call__(self, name: str) -> Callable[[Part], Part]:
        """Register what is defined below under `name`. ArgumentError: it is none."""
        if not isinstance(name, str) or not name.strip():
            raise ArgumentError(
                f'a part is registered by a name: write @registry.{self.kind}("my_part.v1"), got {name!r:.60}'
            )
        registered: Callable[[Part], Part] = self.register(name)
        return registered

    def __contains__(self, name: str) -> bool:
        self._load()
        return bool(super().__contains__(name))

    def get(self, name: str) -> Any:
        """Return the part registered under `name`, or raise a ConfigError that names the nearest ones."""
        if name not in self:
            raise ConfigError(f"no {self.kind} function is called {name!r}.{self._meant(name)}")
        return super().get(name)

    def get_all(self) -> dict[str, Any]:
        self._load()
        return dict(super().get_all())

    def names(self) -> list[str]:
        return sorted(self.get_all())

    def is_built_in(self, name: str) -> bool:
        """Whether `name` comes with this package; a user's part, from --code, does not."""
        return str(getattr(self.get(name), "__module__", "")).split(".")[0] == "trainer_cli"

    def _meant(self, name: str) -> str:
        """The nearest name, versions aside; where none is near, what there is and where another may come from."""
        newest = {stem(known): known for known in self.names()}
        close = closest(stem(name), list(newest))
        own = " If it is your own, give its file with --code"
        if close is not None:
            return f" Did you mean {newest[close]}?" + ("" if is_slip(stem(name), close) else own)
        known = f" There {'is' if len(newest) == 1 else 'are'} {', '.join(newest.values())}."
        return (known if 0 < len(newest) <= MAX_LISTED else "") + own

    def _load(self) -> None:
        for package in (self.home or "").split():
            importlib.import_module(package)


class Registry:
    """All kinds of parts, as attributes: `registry.layers`, `registry.schedules`, ..."""

    layers: Kind
    optimizers: Kind
    schedules: Kind
    losses: Kind
    initializers: Kind
    readers: Kind
    splits: Kind
    batchers: Kind
    encoders: Kind
    metrics: Kind
    loggers: Kind
    clusters: Kind

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        for kind, home in KINDS.items():
            self.create(kind, home)

    def create(self, kind: str, home: str | None = None) -> Kind:
        """Add a kind of a user's own, used in a config as `@kind = "name"`. ArgumentError: there is one, or no name."""
        taken = {*dir(type(self)), *vars(self)}
        if not isinstance(kind, str) or not re.fullmatch(r"[a-z]\w*", kind) or kind in taken:
            raise ArgumentError(f"a registry is named by a word of its own in small letters, got {kind!r}")
        if kind in self.kinds:
            raise ArgumentError(f"the registry {kind!r} already exists")
        self.kinds[kind] = Kind(kind, home)
        return self.kinds[kind]

    def __getattr__(self, name: str) -> Kind:
        # Not set as attributes, so that a second Registry over the same tables sees the kinds added to the first.
        if name == "kinds" or name not in self.kinds:
            raise AttributeError(f"no registry is called {name!r}")
        return self.kinds[name]

    def has(self, kind: str, name: str) -> bool:
        return kind in self.kinds and name in self.kinds[kind]

    def get(self, kind: str, name: str) -> Any:
        if kind not in self.kinds:
            raise ConfigError(f"no registry is called {kind!r}.{nearest(kind, list(self.kinds))}")
        return self.kinds[kind].get(name)


# How the name of a column is suggested, which is a text of the data.
QUOTED = ' Did you mean "{}"?'


def nearest(name: str, names: list[str], say: str = " Did you mean {}?") -> str:
    """The sentence that suggests the name most like `name`, or an empty text when none is near."""
    found = closest(name, names)
    if found is None:
        return ""
    return say.format(f'"{found}"' if " " in found and '"' not in say else found)


def closest(name: str, names: list[str]) -> str | None:
    """The name most like `name`, or what it is commonly called elsewhere; None when none is near.

    >>> closest("max-epochs", ["max_steps", "max_epochs"]), closest("lr", ["L2", "learn_rate"]), closest("lr", ["L2"])
    ('max_epochs', 'learn_rate', None)
    """
    synonym = SYNONYMS.get(name.lower().replace("_", "").replace("-", ""))
    if synonym in names:
        return synonym
    if len(names) > MAX_COMPARED:
        names = [known for known in names if known[:1].lower() == name[:1].lower()][:MAX_COMPARED]
    by_folded = {folded(known): known for known in names}
    # In a name of two letters one wrong letter is half of it, and might be anything.
    cutoff = 0.6 if len(name) > 2 else 0.75
    found = difflib.get_close_matches(folded(name), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def is_slip(name: str, meant: str) -> bool:
    """Whether a name is so much like another one, or so common for it, that nothing else can be meant.

    >>> is_slip("Reul", "Relu"), is_slip("Cosine", "clone")
    (True, False)
    """
    ratio = difflib.SequenceMatcher(None, folded(name), folded(meant)).ratio()
    return ratio >= 0.7 or SYNONYMS.get(name.lower()) == meant


def folded(name: str) -> str:
    """What is easily mistaken for one another made equal: case, hyphen and underscore, zero and the letter O."""
    return name.lower().replace("-", "_").replace("0", "o")


def stem(name: str) -> str:
    """A registered name without its version.

    >>> stem("Relu.v1"), stem("mine")
    ('Relu', 'mine')
    """
    return re.sub(r"\.v\d+$", "", name)


registry = Registry()
