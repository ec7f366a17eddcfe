"""What the settings of a run must satisfy together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer_cli.config import foreign
from trainer_cli.config.call import Call
from trainer_cli.config.document import Broken
from trainer_cli.config.loaded import Loaded
from trainer_cli.config.plan import Planner
from trainer_cli.config.sections import DATA
from trainer_cli.config.words import shorten
from trainer_cli.data.readers.files import is_there

LIMITS = ("max_epochs", "max_steps", "max_time")


def check_rules(loaded: Loaded, plans: dict[str, Any], planner: Planner) -> None:
    """Refuse settings that contradict each other or would do nothing. Mistakes go to the document."""
    config = loaded.config
    given = {key: value for key, value in config.get("training", {}).items() if not isinstance(value, Broken)}
    # Where [training] has a mistake, the limit may be what was mistyped.
    has_limit = any(given.get(name) for name in LIMITS)
    if "training" in config and isinstance(plans["training"], Call) and not has_limit:
        zero = next((f".{name}" for name in LIMITS if name in given), "")
        planner.complain(f"training{zero}", f"needs a limit: set {', '.join(LIMITS[:-1])} or {LIMITS[-1]} (seconds)")
    if "batch_size" in given and "batch_size" in config:
        planner.complain("training.batch_size", "there is a section [batch_size] as well: keep one of them")
    if given.get("dropout") and isinstance(plans.get("model"), Call) and not planner.defaulted:
        planner.complain("training.dropout", "no layer of the model takes its dropout from here: take the setting away")
    if isinstance(config.get("data"), dict):
        check_best(config, given, planner)
    elif foreign.is_spacys(config):
        check_weights(given.get("score_weights"), [], planner)


def check_streams(plans: dict[str, Any], planner: Planner) -> None:
    """Training reads its data more than once, and a resume reads it again."""
    readers = plans.get("data")
    for reader in readers.values() if isinstance(readers, dict) else ():
        for key, value in reader.keywords.items() if isinstance(reader, Call) else ():
            if isinstance(value, Path) and str(value) == "-":
                planner.complain(f"{reader.where}.{key}", "standard input can be read once: training takes a file")


def check_files(plans: dict[str, Any], planner: Planner) -> None:
    """Tell of data files that are not there, where there are other mistakes to tell; else whoever opens them does."""
    readers = plans.get("data")
    for reader in readers.values() if isinstance(readers, dict) else ():
        for key, value in reader.keywords.items() if isinstance(reader, Call) else ():
            if isinstance(value, Path) and str(value) != "-" and not is_there(value):
                planner.complain(f"{reader.where}.{key}", f"no file is there: {value}")


def check_best(config: dict[str, Any], given: dict[str, Any], planner: Planner) -> None:
    """Scores exist where there is dev data, and only those of metrics in the config."""
    if not set(config["data"]).issubset(DATA):
        # One that is mistyped may be the dev data.
        return
    if given.get("score_weights") and given.get("monitor"):
        planner.complain("training.monitor", "there are score_weights as well: keep one of them")
    if "dev" in config["data"] and "split" in config["data"]:
        planner.complain("data.split", "there is a section [data.dev] as well: keep one of them")
    if "dev" not in config["data"] and "split" not in config["data"]:
        for key in ("patience", "score_weights", "monitor"):
            if given.get(key):
                planner.complain(f"training.{key}", "needs dev data: add a section [data.dev] or [data.split]")
        return
    scores = [*config.get("metrics", {}), "loss"]
    weights, monitor = given.get("score_weights"), given.get("monitor")
    check_weights(weights, scores, planner)
    if isinstance(monitor, str):
        check_score(monitor, "training.monitor", scores, planner)


def check_weights(weights: object, scores: list[str], planner: Planner) -> None:
    """What has a weight is a score; a weight of null is told elsewhere."""
    for name, weight in weights.items() if isinstance(weights, dict) else ():
        if weight is not None:
            check_score(name, f"training.score_weights.{name}", scores, planner)


def check_score(name: str, where: str, scores: list[str], planner: Planner) -> None:
    """A score is `metric`, `metric_part` of a metric with several scores, or either behind the name of a dev set."""
    last = name.rpartition(".")[2]
    if any(last == score or last.startswith(f"{score}_") for score in scores):
        return
    near = planner.document.nearest(last, scores, "Did you mean {}?")
    meant = foreign.of_score(last) or near or there_are(scores)
    planner.complain(where, f"no metric is called {shorten(name)}. {meant}")


def there_are(scores: list[str]) -> str:
    return f"There are {shorten(', '.join(scores), 200)}" if scores else "[metrics] says what is scored"
