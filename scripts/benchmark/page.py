"""docs/results.md, from the numbers of docs/results.json and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.lines import LINES, Line
from benchmark.verdict import Runs, failures, score

Results = Mapping[str, Mapping[str, Any]]

HEAD = """# Results

What `scripts/results.py` and the programs in `scripts/peers/` measured, and nothing else; the numbers of every run are
in [results.json](results.json). Where the load at the start was above 1, other programs had a part of the machine:
those seconds, and words a second, are no comparison.
Ours is trained and scored by the commands `trainer train` and `trainer evaluate` alone. Ours and the peers learn from
the same rows, choose among settings by the same dev rows, and are scored on test rows that neither has seen. A number
is the median over seeds, or the mean over splits where the table says so; in brackets the least and the greatest.
Words a second "by turns" were measured after training: the models of one seed tag the test words one after the other,
three times over, in three passes each time. The best pass counts, which other programs disturbed least, and of the
three times the median. Both have the words in memory at the start of a pass, and their tags at its end.
"""
TABLE = ("data", "score", "program", "result", "seconds", "ours holds")
NAMES = {"rmse": "RMSE", "r2": "R²", "words_per_second": "words/s", "train_words_per_second": "words/s in training"}


def page(results: Results) -> str:
    """The whole page: the table, then for each line what it ran on."""
    rows = [row for name, line in LINES.items() if name in results for row in rows_of(line, results[name])]
    missing = [name for name, line in LINES.items() for who in lacking(line, results.get(name, {})) if who == "ours"]
    parts = [HEAD, table(rows)]
    if missing:
        parts.append(f"Ours has not been measured on: {', '.join(missing)}.\n")
    parts.append("## What they ran on\n\n" + "".join(ran_on(name, results[name]) for name in LINES if name in results))
    return "\n".join(parts)


def lacking(line: Line, result: Mapping[str, Any]) -> list[str]:
    """The programs of a line that have no numbers yet."""
    return [who for who in ("ours", *(peer.title for peer in line.peers)) if not result.get("runs", {}).get(who)]


def rows_of(line: Line, result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each program that was measured, ours last."""
    runs = result["runs"]
    rows: list[tuple[str, ...]] = []
    for who in (*(peer.title for peer in line.peers), "ours"):
        if not runs.get(who):
            continue
        first = () if rows else (line.title, score_name(line))
        title = f"**ours**, `configs/{line.config}`" if who == "ours" else who
        verdict = holds(line, runs) if who == "ours" else ""
        seconds = f"{score(line, runs[who], 'seconds'):.1f}"
        rows.append((*(first or ("", "")), title, shown(line, runs[who]), seconds, verdict))
    return rows


def score_name(line: Line) -> str:
    names = ", ".join(NAMES.get(name, name) for name in (line.score, *line.also))
    return f"{names} (mean over splits)" if line.average == "mean" else names


def shown(line: Line, runs: Runs) -> str:
    """The score with its range, then what stands beside it, with its own."""
    values = [run[line.score] for run in runs]
    n_runs = f"{len(values)} run{'s' if len(values) > 1 else ''}"
    main = f"{score(line, runs, line.score):.4f} ({min(values):.4f} to {max(values):.4f}, {n_runs})"
    return ", ".join([main, *(beside(line, runs, name) for name in line.also)])


def beside(line: Line, runs: Runs, name: str) -> str:
    values = [run[name] for run in runs if name in run]
    spread = f" ({number(min(values))} to {number(max(values))})" if len(set(values)) > 1 else ""
    return f"{number(score(line, runs, name))}{spread}"


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"


def holds(line: Line, runs: Mapping[str, Runs]) -> str:
    """Yes, or what is missed, or that a peer it has to be compared with has not been measured."""
    missed = failures(line, runs["ours"], runs)
    if missed:
        return "no: " + "; ".join(missed)
    unmeasured = [peer.title for peer in line.peers if peer.counts and not runs.get(peer.title)]
    if unmeasured:
        return f"not known: {', '.join(unmeasured)} not measured"
    fewer = [peer.title for peer in line.peers if peer.counts and len(runs[peer.title]) < len(runs["ours"])]
    return f"so far: fewer runs of {', '.join(fewer)}" if fewer else "yes"


def table(rows: list[tuple[str, ...]]) -> str:
    lines = [TABLE, ("---",) * len(TABLE), *rows]
    return "".join("| " + " | ".join(row) + " |\n" for row in lines)


def ran_on(name: str, result: Mapping[str, Any]) -> str:
    """One item a program: machine, threads, load, versions, and the settings it chose; then the line's note."""
    items = []
    for who, runs in result["runs"].items():
        machine, versions = result["machines"][who], runs[-1]["versions"]
        chosen = sorted({str(run["chosen"]) for run in runs if "chosen" in run})
        turns = [run["speed_load"] for run in runs if "speed_load" in run]
        facts = [
            f"{machine['cores']} cores of {machine['cpu']}, load {span(loads(runs, machine))} at the start",
            f"OMP_NUM_THREADS {machine['OMP_NUM_THREADS']}",
            ", ".join(f"{package} {version}" for package, version in versions.items()),
            *([f"chosen: {' / '.join(chosen)}"] if chosen else []),
            *([f"words a second by turns, load {span(turns)} at the start"] if turns else []),
        ]
        items.append(f"- {name}, {who}: {'; '.join(facts)}\n")
    note = LINES[name].note
    return "".join(items) + (f"- {name}: {note}\n" if note else "")


def loads(runs: Runs, machine: Mapping[str, Any]) -> list[float]:
    """The load at the start of each run, where it was told; else that at the start of all."""
    return [run["load"] for run in runs if "load" in run] or [machine["load"]]


def span(values: list[float]) -> str:
    least, greatest = min(values), max(values)
    return f"{least:g}" if least == greatest else f"{least:g} to {greatest:g}"
