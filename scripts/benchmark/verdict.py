"""One number for several runs, and whether ours reaches what it has to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.lines import Line

Runs = Sequence[Mapping[str, Any]]


def score(line: Line, runs: Runs, name: str) -> float:
    """The median or the mean of a score over the runs."""
    values = [float(run[name]) for run in runs if name in run]
    if not values:
        return float("nan")
    return statistics.fmean(values) if line.average == "mean" else statistics.median(values)


def failures(line: Line, ours: Runs, peers: Mapping[str, Runs]) -> list[str]:
    """What ours does not reach, of the peers that count and have been measured, the floor and the speed."""
    sign = 1 if line.higher_is_better else -1
    found = score(line, ours, line.score)
    missed = []
    if line.floor is not None and not sign * found >= sign * line.floor:
        missed.append(f"worse than {line.floor:g}")
    for peer in line.peers:
        runs = peers.get(peer.title)
        if not peer.counts or not runs:
            continue
        mine, theirs = alike(line, ours, runs)
        if not sign * score(line, mine, line.score) >= sign * score(line, theirs, line.score):
            missed.append(f"worse than {peer.title}")
        if line.speed and not score(line, ours, "words_per_second") >= line.speed * score(
            line, runs, "words_per_second"
        ):
            missed.append(f"less than {line.speed:g} times the words a second of {peer.title}")
    return missed


def alike(line: Line, ours: Runs, theirs: Runs) -> tuple[Runs, Runs]:
    """The runs to compare: of splits those that both were measured on, of seeds all."""
    if line.average != "mean":
        return ours, theirs
    both = {run["seed"] for run in ours} & {run["seed"] for run in theirs}
    return [run for run in ours if run["seed"] in both], [run for run in theirs if run["seed"] in both]
