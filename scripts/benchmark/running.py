"""Run a peer, or ours through the command line, and read the scores from what it prints."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmark.cases import Case
from benchmark.lines import Line, Peer

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = {"peers": "peers.txt", "spacy": "peers-spacy.txt"}
TRAINER = (sys.executable, "-m", "trainer_cli")
TAGGING = Path(__file__).with_name("tagging.py")
N_TURNS = 3
Run = dict[str, Any]


class RunError(Exception):
    """What went wrong, in a few lines."""


def peer_run(peer: Peer, case: Case, kept: Path | None = None) -> Run:
    """The scores of one peer in one case, the versions it ran with, and what it chose; its model goes to `kept`."""
    keep = () if kept is None else ("--keep", str(kept / f"peer-{case.seed}"))
    answer = asked(peer, case, *keep)
    return {"seed": case.seed, **answer["scores"], "versions": answer["versions"]}


def asked(peer: Peer, case: Case, *options: str) -> dict[str, Any]:
    """What a peer answers."""
    script = ROOT / "scripts" / "peers" / peer.script
    files = [str(path) for path in (case.train, case.dev, case.test)]
    command = [python_of(peer.venv), str(script), *files, "--seed", str(case.seed), *peer.options, *options]
    found: dict[str, Any] = json.loads(shell(command).strip().splitlines()[-1])
    return found


def our_run(line: Line, case: Case, folder: Path) -> Run:
    """Train by `trainer train`, score the test file by `trainer evaluate`; seconds are those of the whole training."""
    config = ROOT / "configs" / line.config
    overrides = [*case.overrides, "--system.seed", str(case.seed)]
    start = time.monotonic()
    shell([*TRAINER, "train", str(config), "--output", str(folder), "--overwrite", "--quiet", *overrides])
    seconds = time.monotonic() - start
    scores = evaluated(folder / "model-last" if line.last else folder, case)
    found = {name: scores[name] for name in (line.score, *line.also) if name in scores}
    if line.speed:
        found["words_per_second"] = tagging(folder, case)["words_per_second"]
        found["train_words_per_second"] = train_speed(case, folder)
    return {"seed": case.seed, **found, "seconds": round(seconds, 2), "versions": our_versions(folder)}


def evaluated(model: Path, case: Case) -> dict[str, Any]:
    """What `trainer evaluate` tells of the test file."""
    found: dict[str, Any] = json.loads(shell([*TRAINER, "evaluate", str(model), str(case.test), "--json", "--quiet"]))
    return found


def speeds(line: Line, case: Case, kept: Path) -> dict[str, int]:
    """The words a second of ours and each peer with the models in `kept`: the median of three times by turns.

    Both tag sentences that are in memory, and of each time's three passes the best counts, which is the one that other
    programs disturbed least.
    """
    found: dict[str, list[int]] = {}
    for _ in range(N_TURNS):
        for peer in line.peers:
            scores = asked(peer, case, "--tag", str(kept / f"peer-{case.seed}"))["scores"]
            found.setdefault(peer.title, []).append(scores["words_per_second"])
        found.setdefault("ours", []).append(tagging(kept / f"ours-{case.seed}", case)["words_per_second"])
    return {who: round(statistics.median(values)) for who, values in found.items()}


def tagging(model: Path, case: Case) -> Run:
    """The accuracy of our tagger, and its words a second as `benchmark.tagging` has them."""
    found: Run = json.loads(shell([sys.executable, str(TAGGING), str(model), str(case.test)]))
    return found


def train_speed(case: Case, folder: Path) -> int:
    """Words a second in training, with its evaluations."""
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    words, sentences = count(case.train)
    return round(int(last["samples"]) * words / sentences / float(last["seconds"]))


def count(path: Path) -> tuple[int, int]:
    """Words and sentences of a file with a word a line and an empty line after each sentence."""
    lines = path.read_text(encoding="utf-8").splitlines()
    words = sum(1 for line in lines if line)
    return words, len(lines) - words


def our_versions(folder: Path) -> dict[str, str]:
    run = json.loads((folder / "run.json").read_text())
    return {**run["versions"], "ops": run["ops"], "threads": str(run["threads"])}


def python_of(venv: str) -> str:
    """The Python of .venv-NAME, which is made from scripts/NAME's requirements when it is not there."""
    folder = ROOT / f".venv-{venv}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        shell([sys.executable, "-m", "venv", str(folder)])
        requirements = ROOT / "scripts" / REQUIREMENTS[venv]
        shell([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
        done.touch()
    return str(python)


def shell(command: list[str]) -> str:
    """Run a command in the repository's root; its stdout."""
    print("+", " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise RunError(f"{' '.join(command)}: exit code {done.returncode}\n{last}")
    return done.stdout


def machine() -> dict[str, Any]:
    """What the seconds depend on: processor, cores, system, and how many programs ran beside this one."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
    }


def cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def seconds(steps: Iterator[Any], n: int) -> float:
    """How long the next `n` steps of a loop take."""
    start = time.perf_counter()
    for _ in islice(steps, n):
        pass
    return time.perf_counter() - start
