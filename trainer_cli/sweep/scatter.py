"""What was reached with which values, as a picture: a panel a key, a point a trial."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from trainer_cli.picture import drawn
from trainer_cli.sweep.display import value_text
from trainer_cli.sweep.record import Record
from trainer_cli.sweep.space import Choice, Dimension, Space
from trainer_cli.sweep.trial import Trial

PANEL_WIDTH, PANEL_HEIGHT = 4.0, 3.2  # inches
MOST_ACROSS = 3
COLORS = {"finished": "tab:blue", "pruned": "tab:gray", "diverged": "tab:red"}
OTHER_COLOR = "tab:orange"
BEST_COLOR = "tab:green"


def draw(record: Record, space: Space, picture_format: str) -> bytes:
    """The file's bytes: the score of every trial that has one over each of its values, the best one larger."""
    trials = [trial for _, trial in sorted(record.trials.items()) if trial.score is not None]
    across = min(MOST_ACROSS, len(space))
    down = math.ceil(len(space) / across)

    def fill(figure: Any) -> None:
        panels = figure.subplots(down, across, squeeze=False, sharey=True)
        for index, panel in enumerate(panels.flat):
            if index < len(space):
                draw_panel(panel, space[index], trials, record)
            else:
                panel.set_visible(False)
        figure.suptitle(f"{len(trials)} trials", fontsize=10)
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=8, fontsize=8)

    return drawn(fill, (PANEL_WIDTH * across, PANEL_HEIGHT * down + 0.7), picture_format)


def draw_panel(panel: Any, each: Dimension, trials: Sequence[Trial], record: Record) -> None:
    places, labels = placed(each, trials)
    best = record.best
    for state in sorted({trial.state for trial in trials}):
        found = [(place, trial.score) for place, trial in zip(places, trials, strict=True) if trial.state == state]
        panel.scatter(*zip(*found, strict=True), s=22, color=COLORS.get(state, OTHER_COLOR), label=state, alpha=0.8)
    for place, trial in zip(places, trials, strict=True):
        if trial is best:
            panel.scatter([place], [trial.score], s=80, color=BEST_COLOR, marker="*", label="best", zorder=3)
    if labels:
        panel.set_xticks(range(len(labels)), labels, rotation=30 if max(map(len, labels)) > 5 else 0, fontsize=8)
    elif getattr(each, "log", False):
        panel.set_xscale("log")
    for text in panel.get_xticklabels() if labels else ():
        text.set_parse_math(False)  # a value is no formula
    panel.set_xlabel(each.name, fontsize=9)
    panel.xaxis.label.set_parse_math(False)
    panel.set_ylabel(record.metric, fontsize=9)
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)


def placed(each: Dimension, trials: Sequence[Trial]) -> tuple[list[float], list[str]]:
    """Where each trial stands across, and the labels where these are no numbers."""
    values = [trial.params[each.name] for trial in trials]
    if not isinstance(each, Choice):
        return values, []
    written = [json.dumps(value) for value in each.values]
    return [written.index(json.dumps(value)) for value in values], [value_text(value) for value in each.values]
