"""Commands that name one data set."""

from __future__ import annotations

import os
from typing import Any

from typer.core import TyperCommand

PATTERN = "To take several files as one data set, put a pattern in quotes, as 'part-*.csv'"


class DataCommand(TyperCommand):
    """A command that says, where a shell has made many files of one pattern, that a pattern is quoted."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = list(args)
        try:
            parsed: list[str] = super().parse_args(ctx, args)
        except Exception as err:  # typer exports no name for its usage errors
            if sum(word in str(err) and os.path.isfile(word) for word in words):
                vars(err).update(message=f"{err}. {PATTERN}")
            raise
        return parsed
