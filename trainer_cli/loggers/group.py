"""The loggers of a run as one, which never fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trainer_cli.loggers.logger import Logger


class LoggerGroup:
    """Gives each row to every logger, by its name in the config. One that raises is told of once and gets no more."""

    def __init__(self, loggers: Mapping[str, Logger], tell: Callable[[str], None]):
        self._loggers = dict(loggers)
        self._tell = tell

    def log(self, row: Mapping[str, Any]) -> None:
        # Each gets a copy of its own, since what one does to it is no business of the others.
        self._each(lambda logger: logger.log(dict(row)))

    def close(self) -> None:
        self._each(lambda logger: logger.close())
        self._loggers.clear()

    def _each(self, call: Callable[[Logger], None]) -> None:
        for name, logger in list(self._loggers.items()):
            try:
                call(logger)
            except Exception as err:
                del self._loggers[name]
                self._tell(f"[loggers.{name}] gets no more rows: {type(err).__name__}: {err}")
