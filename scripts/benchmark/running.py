"""Run a peer, or ours through the command line, and read the scores from what it prints."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmark.cases import Case
from benchmark.lines import Line, Peer

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = {"peers": "peers.txt", "spacy": "peers-spacy.txt"}
TRAINER = (sys.executable, "-m", "trainer_cli")
N_TURNS = N_PASSES = 3
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
    speeds = word_speeds(case, folder, scores["seconds"]) if line.speed else {}
    return {"seed": case.seed, **found, **speeds, "seconds": round(seconds, 2), "versions": our_versions(folder)}


def evaluated(model: Path, case: Case) -> dict[str, Any]:
    """What `trainer evaluate` tells of the test file."""
    found: dict[str, Any] = json.loads(shell([*TRAINER, "evaluate", str(model), str(case.test), "--json", "--quiet"]))
    return found


def speeds(line: Line, case: Case, kept: Path) -> dict[str, int]:
    """The words a second of ours and each peer with the models in `kept`: the median of three times by turns.

    Each time the best of three passes counts, which is the one that other programs disturbed least; those of ours are
    three calls of `evaluate`, with reading and encoding.
    """
    found: dict[str, list[int]] = {}
    for _ in range(N_TURNS):
        for peer in line.peers:
            scores = asked(peer, case, "--tag", str(kept / f"peer-{case.seed}"))["scores"]
            found.setdefault(peer.title, []).append(scores["words_per_second"])
        seconds = min(evaluated(kept / f"ours-{case.seed}", case)["seconds"] for _ in range(N_PASSES))
        found.setdefault("ours", []).append(round(count(case.test)[0] / seconds))
    return {who: round(statistics.median(values)) for who, values in found.items()}


def word_speeds(case: Case, folder: Path, seconds: float) -> dict[str, int]:
    """Words a second in `evaluate` (with reading and encoding) and in training (with its evaluations)."""
    last = json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])
    words, sentences = count(case.train)
    trained = last["samples"] * words / sentences
    return {
        "words_per_second": round(count(case.test)[0] / seconds),
        "train_words_per_second": round(trained / last["seconds"]),
    }


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
