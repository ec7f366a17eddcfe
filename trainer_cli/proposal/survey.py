"""A data set looked at as a whole: how it is read, what its columns hold, and what each would be used as."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer_cli.data.encoders.floats import is_gap, is_missing
from trainer_cli.data.labelled import LabelledReader
from trainer_cli.data.readers.doubts import encoding_doubt, unnamed_columns
from trainer_cli.errors import DataError, TrainerError
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.profile.leaks import Leaks, leaks
from trainer_cli.profile.profile import Profile, profile
from trainer_cli.proposal import target as targets
from trainer_cli.proposal.source import Source, source
from trainer_cli.proposal.spans import Reading, reading
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.uses import ALL, Choice, Use, uses

# So many of a column's commonest values are printed.
MAX_COUNTS = 10


@dataclass(frozen=True)
class Survey:
    """`target` is None where none is plain and none was named; `doubt` then says why.

    `notes` tell what is odd about how the data are read.
    """

    source: Source
    profile: Profile
    target: Target | None
    uses: tuple[Use, ...]
    doubt: str = ""
    notes: tuple[str, ...] = ()


def survey(
    path: Path,
    target: str | None = None,
    task: str = "auto",
    given: Mapping[str, Any] | None = None,
    choice: Choice = ALL,
) -> Survey:
    """Look at the data of a file, or of a directory that holds one; it is read twice at most.

    `given` are arguments of its reader, `choice` says which columns are used whatever they look like.
    """
    data = source(path, given)
    reader = data.reader
    found = profile(reader)
    choice.check([facts.name for facts in found.columns])
    doubt, chosen = "", None
    try:
        chosen = targets.choose(found.columns, target, task, choice.drop)
    except DataError as err:
        doubt = str(err)
    suspects, tags = Leaks(), Reading()
    if chosen is not None and chosen.task == "tagging" and chosen.facts.kind == "list":
        tags = reading(reader, chosen.facts.name)
        chosen = replace(chosen, scheme=tags.scheme)
    if chosen is not None and chosen.task in ("classification", "regression"):
        of_numbers = chosen.task == "regression"
        gap = is_gap if of_numbers else is_missing
        rows = LabelledReader(reader, chosen.facts.name, gap) if chosen.has_gaps else reader
        suspects = leaks(rows, found, chosen.facts.name, of_numbers=of_numbers)
    used = uses(found.columns, chosen, suspects.certain, choice)
    used = tuple(replace(use, why=reason(use, chosen, suspects.possible, choice)) for use in used)
    notes = tuple(filter(None, (unnamed_columns(reader), encoding_doubt(reader), tags.why)))
    return Survey(data, found, chosen, used, doubt, notes)


def reason(use: Use, target: Target | None, suspects: Mapping[str, str], choice: Choice) -> str:
    """Why a column is used as it is: of the target why it is, of an input what makes it suspect, if anything does."""
    if target is not None and use.facts is target.facts:
        return target.why
    is_suspect = use.is_input and use.facts.name in suspects and use.facts.name not in choice.keep
    return suspects[use.facts.name] if is_suspect else use.why


def is_alike(found: Survey, other: Path) -> bool:
    """Whether another file can be read as the data were, and has their columns."""
    try:
        columns = found.source.at(other).reader.columns()
    except TrainerError:
        return False
    return set(columns) == {facts.name for facts in found.profile.columns}


def as_json(found: Survey) -> str:
    """All that was found, as JSON."""
    values = {
        "data": str(found.source.path),
        "format": found.source.format,
        "rows": found.profile.n_rows,
        "rows_looked_at": found.profile.n_seen,
        "is_whole": found.profile.is_whole,
        "target": found.target.facts.name if found.target else None,
        "target_is_guess": found.target.is_guess if found.target else None,
        "task": found.target.task if found.target else None,
        "columns": [column_values(use) for use in found.uses],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def column_values(use: Use) -> dict[str, Any]:
    facts = use.facts
    return {
        "name": facts.name,
        "type": facts.kind,
        "missing": facts.missing,
        "distinct": facts.distinct,
        "distinct_is_exact": facts.is_exact,
        "low": plain(facts, facts.low),
        "high": plain(facts, facts.high),
        "shape": list(facts.shape) or None,
        "examples": list(facts.examples),
        "counts": {text: n for text, n in list(facts.counts.items())[:MAX_COUNTS] if n > 1},
        "used_as": None if use.role == "-" else use.role,
        "why": use.why,
    }


def plain(facts: ColumnFacts, value: float | str | None) -> float | str | None:
    """A number as JSON takes it, whole ones without a point."""
    if isinstance(value, float) and facts.kind in ("whole", "list", "image") and math.isfinite(value):
        return int(value)
    return value
