"""A run's data as a worker reads it itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainer_cli.cluster.order import Order
from trainer_cli.cluster.proof import check_data
from trainer_cli.config.run_config import RunConfig
from trainer_cli.data.cache import Cache
from trainer_cli.data.dataset import Dataset
from trainer_cli.loading import Loading
from trainer_cli.signals import StopFlag
from trainer_cli.sources import set_name, sources


class Copies:
    """The training rows and the dev sets by name, encoded by the driver's encoders.

    DataError: a file is not what the driver has read.
    """

    def __init__(self, config: RunConfig, order: Order, encoders: Mapping[str, Any]):
        check_data(config, order.contents)
        flag = StopFlag()
        whole = sources(config)
        found = whole.divided(config, flag)
        features, target = ((getattr(found, name)[0], encoders[name]) for name in ("features", "target"))
        found = replace(found, features=features, target=target)
        loading = Loading(config, whole, found, flag, None if order.cache is None else Cache(Path(order.cache)))
        self.train: Dataset = loading.load("train", found.train, 0)
        self.dev = {set_name(name): loading.load(name, reader, 0) for name, reader in found.dev.items()}
