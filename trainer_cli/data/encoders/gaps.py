"""Rows that have nothing to learn from: what a target may do about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from trainer_cli.data.encoders.state import stated_choice

Gaps = Literal["error", "skip"]

# The value of a target's argument `missing` by which such rows are left out.
SKIP: Literal["skip"] = "skip"
# What is said of one.
REMEDY = 'missing = "skip" in [target] leaves such rows out'


def stated_gaps(state: Mapping[str, Any]) -> Gaps:
    """What a fitted target does about them; one that was saved before there was the choice takes them as mistakes."""
    return SKIP if stated_choice({"missing": "error", **state}, "missing", ("error", SKIP)) == SKIP else "error"
