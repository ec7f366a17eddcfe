"""CSV files as the peers read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd


def read(path: Path, target: str) -> tuple[Any, Any]:
    """The columns but the target's, and the target's as text."""
    table = pd.read_csv(path)
    return table.drop(columns=target), table[target].astype(str)
