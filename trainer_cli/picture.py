"""Curves as a picture in a file, by matplotlib."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any

from trainer_cli.curve import Curve
from trainer_cli.errors import ArgumentError

FORMATS = ("svg", "png")
N_SPANS = 1000
# Curves with fewer points than this show each one.
FEW_POINTS = 60
TITLE_WIDTH = 100
WIDTH, HEIGHT = 8.0, 2.6  # of a panel, inches
# The same curves give the same bytes, with the text as text.
SETTINGS = {"svg.hashsalt": "trainer", "svg.fonttype": "none"}


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
    """The file's bytes: one panel a curve, one below the other, with matplotlib's own style whatever the user's is."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        params: Any = matplotlib.rcParams  # whose keys are a type of their own
        params.update(SETTINGS)
        figure = Figure(figsize=(WIDTH, HEIGHT * len(curves)), layout="constrained")
        panels = figure.subplots(len(curves), squeeze=False)
        for each, (panel,) in zip(curves, panels, strict=True):
            draw_panel(panel, each)
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
