"""Curves, and what is confused with what, as a picture in a file, by matplotlib."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trainer_cli.curve import Curve
from trainer_cli.errors import ArgumentError

FORMATS = ("svg", "png")
N_SPANS = 1000
# Curves with fewer points than this show each one.
FEW_POINTS = 60
TITLE_WIDTH = 100
WIDTH, HEIGHT = 8.0, 2.6  # of a panel, inches
# A matrix of more classes than this shows no counts; of more still, the names become small.
FEW_CLASSES = 25
MOST_INCHES = 16.0
# The same curves give the same bytes, with the text as text.
SETTINGS = {"svg.hashsalt": "trainer", "svg.fonttype": "none"}


def format_of(option: str, path: Path) -> str:
    """What a picture's file name asks for; whether it can be drawn is found before any work is done."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise ArgumentError(f"{option} {path}: name a file that ends in .{' or .'.join(FORMATS)}")
    require_matplotlib()
    return ending


def require_matplotlib() -> None:
    """Refuse to draw where matplotlib cannot be imported, with the remedy."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as err:
        raise ArgumentError(
            f"a picture needs matplotlib, which cannot be imported ({err}). "
            "Install it with: pip install 'trainer-cli[report]'"
        ) from err


def draw(curves: Sequence[Curve], picture_format: str) -> bytes:
    """The file's bytes: one panel a curve, one below the other."""

    def fill(figure: Any) -> None:
        panels = figure.subplots(len(curves), squeeze=False)
        for each, (panel,) in zip(curves, panels, strict=True):
            draw_panel(panel, each)

    return drawn(fill, (WIDTH, HEIGHT * len(curves)), picture_format)


def drawn(fill: Callable[[Any], None], size: tuple[float, float], picture_format: str) -> bytes:
    """The file's bytes of a figure that is filled, with matplotlib's own style whatever the user's is."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        params: Any = matplotlib.rcParams  # whose keys are a type of their own
        params.update(SETTINGS)
        figure = Figure(figsize=size, layout="constrained")
        fill(figure)
        buffer = io.BytesIO()
        dated = {"Date": None} if picture_format == "svg" else {}
        figure.savefig(buffer, format=picture_format, dpi=150, metadata=dated)
    return buffer.getvalue()


def draw_panel(panel: Any, curve: Curve) -> None:
    points = curve.thinned(N_SPANS)
    is_short = len(points.steps) <= FEW_POINTS
    style: dict[str, Any] = {"drawstyle": "steps-post", "marker": "o", "markersize": 4} if is_short else {}
    panel.plot(points.steps, points.values, linewidth=1.2, **style)
    title = textwrap.wrap(f"{curve.name} = {curve.text}", TITLE_WIDTH) + textwrap.wrap(curve.summary, TITLE_WIDTH)
    panel.set_title("\n".join(title), loc="left", fontsize=9)
    panel.set_xlabel("step")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)


def draw_confusion(
    names: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[float]], picture_format: str
) -> bytes:
    """The file's bytes: a square for each true class (a row each) and each that was taken for it.

    Its shade is the share of the row; the counts stand in it where there are few classes.
    """
    shares = [[count / (sum(row) or 1) for count in row] for row in counts]

    def fill(figure: Any) -> None:
        panel = figure.subplots()
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        font = 9 if len(names) <= FEW_CLASSES else max(3, 9 * FEW_CLASSES / len(names))
        panel.set_xticks(range(len(columns)), columns, rotation=90 if max(map(len, columns)) > 3 else 0, fontsize=font)
        panel.set_yticks(range(len(names)), names, fontsize=font)
        for text in (*panel.get_xticklabels(), *panel.get_yticklabels()):
            text.set_parse_math(False)  # a name is no formula
        panel.set_xlabel("predicted")
        panel.set_ylabel("true")
        for i, row in enumerate(counts if len(names) <= FEW_CLASSES else ()):
            for j, count in enumerate(row):
                shade = "white" if shares[i][j] > 0.5 else "black"
                panel.text(j, i, f"{count:.6g}" if count else "", ha="center", va="center", color=shade, fontsize=8)

    side = min(MOST_INCHES, max(4.0, 0.4 * len(names) + 2))
    return drawn(fill, (side, side), picture_format)
