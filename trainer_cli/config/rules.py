"""What the settings of a run must satisfy together."""

from __future__ import annotations

from typing import Any

from trainer_cli.config.call import Call
from trainer_cli.config.loaded import Loaded
from trainer_cli.config.plan import Planner
from trainer_cli.registry import nearest

LIMITS = ("max_epochs", "max_steps", "max_time")


def check_rules(loaded: Loaded, plans: dict[str, Any], planner: Planner) -> None:
    """Refuse settings that contradict each other or would do nothing. Mistakes go to the document."""
    training = plans["training"]
    # A section with a mistake of its own is not planned; what follows from the mistake is no second one.
    if not isinstance(training, Call) or "training" not in loaded.config:
        return
    given = training.keywords
    if not any(given.get(name) for name in LIMITS):
        planner.complain("training", f"needs a limit: set {', '.join(LIMITS[:-1])} or {LIMITS[-1]} (seconds)")
    if "batch_size" in given and "batch_size" in loaded.config:
        planner.complain("training.batch_size", "there is a section [batch_size] as well: keep one of them")
    if given.get("dropout") and isinstance(plans.get("model"), Call) and not planner.defaulted:
        planner.complain("training.dropout", "no layer of the model takes a dropout: take the setting away")
    if isinstance(loaded.config.get("data"), dict):
        check_best(loaded, given, planner)


def check_best(loaded: Loaded, given: dict[str, Any], planner: Planner) -> None:
    """Scores exist where there is dev data, and only those of metrics in the config."""
    if "dev" not in loaded.config["data"]:
        for key in ("patience", "score_weights", "monitor"):
            if given.get(key):
                planner.complain(f"training.{key}", "needs dev data: add a section [data.dev]")
        return
    scores = [*loaded.config.get("metrics", {}), "loss"]
    for name in given.get("score_weights") or {}:
        check_score(name, f"training.score_weights.{name}", scores, planner)
    if given.get("monitor"):
        check_score(given["monitor"], "training.monitor", scores, planner)


def check_score(name: str, where: str, scores: list[str], planner: Planner) -> None:
    """A score is `metric`, `metric_part` of a metric with several scores, or either behind the name of a dev set."""
    last = name.rpartition(".")[2]
    if any(last == score or last.startswith(f"{score}_") for score in scores):
        return
    meant = nearest(last, scores, " Did you mean {}?") or f" There are {', '.join(scores)}"
    planner.complain(where, f"no metric is called {name}.{meant}")
