"""Measure ours beside its peers and write docs/results.json and docs/results.md.

    python scripts/results.py                        every line, every program
    python scripts/results.py digits penguins        some lines; what the file holds of the others stays
    python scripts/results.py reviews --only ours    ours alone, or the peers alone
    python scripts/results.py --page                 write the page anew from the numbers that are there

Ours needs this package; the peers get environments of their own, .venv-peers and .venv-spacy, made at the first use
from scripts/peers.txt and scripts/peers-spacy.txt. Data: `python scripts/get_data.py fashion-mnist` (and `reviews` and
`brown`) and `python scripts/make_letters.py`. Seconds mean something only on a machine that does nothing else.
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
from benchmark.running import ROOT, RunError, machine, our_run, peer_run

NUMBERS = ROOT / "docs" / "results.json"
PAGE = ROOT / "docs" / "results.md"


def main() -> int:
    arguments = parsed()
    failed = False
    for name in [] if arguments.page else arguments.lines or list(LINES):
        try:
            measure(name, arguments)
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
    parser.add_argument("--runs", type=int, help="this many runs a program, where that is fewer than planned")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page from docs/results.json")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.lines if name not in LINES]
    if unknown:
        parser.error(f"no line is called {unknown[0]}; the lines are {', '.join(LINES)}")
    return arguments


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Measure the programs of a line in turn; each one's numbers are saved as soon as they are there."""
    line = LINES[name]
    with tempfile.TemporaryDirectory() as scratch:
        cases = line.cases(Path(scratch))[: arguments.runs]
        if arguments.only != "ours":
            for peer in line.peers:
                around = machine()
                keep(name, peer.title, [peer_run(peer, case) for case in cases], around)
        if arguments.only != "peers" and (ROOT / "configs" / line.config).exists():
            around = machine()
            keep(name, "ours", ours(line, cases, Path(scratch)), around)


def ours(line: Line, cases: list[Case], scratch: Path) -> list[dict[str, Any]]:
    return [our_run(line, case, scratch / f"run-{case.seed}") for case in cases]


def numbers() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}
    return found


def keep(name: str, who: str, runs: list[dict[str, Any]], around: dict[str, Any]) -> None:
    """Put a program's runs into docs/results.json, and into the page; the other numbers there stay."""
    results = numbers()
    result = results.setdefault(name, {"runs": {}, "machines": {}})
    result["runs"][who] = runs
    result["machines"][who] = around
    NUMBERS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"{name}, {who}: {[run[LINES[name].score] for run in runs]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
