"""The encoded rows of a run's data sets: in memory, or in the cache where they would take too much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainer_cli import user_code
from trainer_cli.config.run_config import RunConfig
from trainer_cli.data import dataset
from trainer_cli.data.cache import Cache, key_of
from trainer_cli.data.dataset import Dataset
from trainer_cli.data.fingerprint import fingerprint, sha256
from trainer_cli.data.reader import Reader
from trainer_cli.placing import placed
from trainer_cli.signals import StopFlag
from trainer_cli.sources import Sources, arguments
from trainer_cli.watched import WatchedReader

MIB = 1 << 20


@dataclass(frozen=True)
class Loading:
    """How the data sets of one run are loaded: `whole` are its readers, `found` those of the parts of a split."""

    config: RunConfig
    whole: Sources
    found: Sources
    flag: StopFlag
    cache: Cache | None

    def load(self, name: str, reader: Reader, n: int) -> Dataset:
        """The rows of one data set, by its name below [data]. `n` is how many there are, 0 where it is not known."""
        features, target, weights = self.found.features[1], self.found.target[1], self.found.weights
        watched, most = WatchedReader(reader, self.flag), self.config.system.data_memory * MIB
        with placed(self.config, f"data.{name}"):
            if self.cache is None:
                return dataset.load(watched, features, target, n, weights)
            data = dataset.load_within(most, watched, features, target, n, weights)
            return data or dataset.store(self.cache, self.key(name), watched, features, target, weights)

    def key(self, name: str) -> str:
        """The name of a data set in the cache: all that its encoded rows depend on."""
        split = self.whole.split is not None
        base = self.whole.train if split else self.whole.dev.get(name, self.whole.train)
        data = self.config.config["data"]
        section: Any = data["train"] if split else self.config.readers[name]
        source = {
            "reader": {"name": section["@readers"], "arguments": arguments(section)},
            "part": [name, data["split"], self.config.system.seed] if split else None,
            "weights": self.found.weights.column,
        }
        code = [sha256(path) for path in user_code.imported()]
        return key_of(fingerprint(base), source, self.encoders, code)

    @property
    def encoders(self) -> dict[str, Any]:
        return {"features": self.found.features, "target": self.found.target}
