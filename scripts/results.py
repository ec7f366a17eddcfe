"""Measure ours beside its peers and write docs/results.json and docs/results.md.

    python scripts/results.py                        every line, every program
    python scripts/results.py digits penguins        some lines; what the file holds of the others stays
    python scripts/results.py reviews --only ours    ours alone, or the peers alone
    python scripts/results.py brown --seeds 1 2      these seeds or splits alone; the runs of the others stay
    python scripts/results.py brown --speeds         words a second, of the models that were kept, by turns
    python scripts/results.py --page                 write the page anew from the numbers that are there

Ours needs this package; the peers get environments of their own, .venv-peers and .venv-spacy, made at the first use
from scripts/peers.txt and scripts/peers-spacy.txt. Data: `python scripts/get_data.py fashion-mnist` (and `reviews` and
`brown`) and `python scripts/make_letters.py`. Seconds mean something only on a machine that does nothing else; words a
second of two programs are compared where they tag by turns, under one load.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmark.cases import Case
from benchmark.lines import LINES, Line
from benchmark.page import page
from benchmark.running import ROOT, RunError, machine, our_run, peer_run, speeds

NUMBERS = ROOT / "docs" / "results.json"
PAGE = ROOT / "docs" / "results.md"
# Where the models of the lines stay whose speeds are compared.
KEPT = ROOT / "out" / "results"


def main() -> int:
    arguments = parsed()
    failed = False
    for name in [] if arguments.page else arguments.lines or list(LINES):
        try:
            (compare_speeds if arguments.speeds else measure)(name, arguments)
        except (RunError, OSError) as err:
            print(f"results.py: {name}: {err}", file=sys.stderr)
            failed = True
    if arguments.page:
        PAGE.write_text(page(numbers()), encoding="utf-8")
    return int(failed)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure ours beside its peers.")
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"which of {', '.join(LINES)}")
    parser.add_argument("--only", choices=["ours", "peers"], help="measure one side")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N", help="these seeds or splits alone")
    parser.add_argument("--speeds", action="store_true", help="train nothing, measure the speeds of the kept models")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page from docs/results.json")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.lines if name not in LINES]
    if unknown:
        parser.error(f"no line is called {unknown[0]}; the lines are {', '.join(LINES)}")
    return arguments


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Measure the programs of a line in turn; each run's numbers are saved as soon as they are there."""
    line = LINES[name]
    with tempfile.TemporaryDirectory() as scratch:
        cases = chosen(line, Path(scratch), arguments)
        for peer in line.peers if arguments.only != "ours" else ():
            for case in cases:
                around = machine()
                run = peer_run(peer, case, KEPT / name if line.speed else None)
                keep(name, peer.title, [{**run, "load": around["load"]}], around)
        for case in cases if arguments.only != "peers" and (ROOT / "configs" / line.config).exists() else ():
            around = machine()
            run = our_run(line, case, (KEPT / name if line.speed else Path(scratch)) / f"ours-{case.seed}")
            keep(name, "ours", [{**run, "load": around["load"]}], around)


def compare_speeds(name: str, arguments: argparse.Namespace) -> None:
    """Words a second of ours and the peers in place of those after training: the models of the runs tag by turns."""
    line = LINES[name]
    if not line.speed:
        return
    with tempfile.TemporaryDirectory() as scratch:
        for case in chosen(line, Path(scratch), arguments):
            around = machine()
            for who, speed in speeds(line, case, KEPT / name).items():
                (run,) = (run for run in numbers()[name]["runs"][who] if run["seed"] == case.seed)
                found = {"words_per_second": speed, "speed_load": around["load"]}
                keep(name, who, [{**run, **found}], numbers()[name]["machines"][who])


def chosen(line: Line, scratch: Path, arguments: argparse.Namespace) -> list[Case]:
    """The cases of a line that are asked for."""
    cases = line.cases(scratch)
    return [case for case in cases if arguments.seeds is None or case.seed in arguments.seeds]


def numbers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}
    return found


def keep(name: str, who: str, runs: list[dict[str, Any]], around: dict[str, Any]) -> None:
    """Put runs of a program into docs/results.json, each in place of that of its seed, and into the page."""
    results = numbers()
    result = results.setdefault(name, {"runs": {}, "machines": {}})
    by_seed = {run["seed"]: run for run in (*result["runs"].get(who, []), *runs)}
    result["runs"][who] = [by_seed[seed] for seed in sorted(by_seed)]
    result["machines"][who] = around
    NUMBERS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"{name}, {who}: {[run[LINES[name].score] for run in runs]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
