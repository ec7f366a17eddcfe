"""A curve drawn with characters: dots of Braille where the terminal has them, `.`, `'` and `:` where not."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.curve import Curve, number

N_LINES = 9
# Dots of one character, (across, down), what each one adds to a character's number, and the frame: tick, side, corner,
# floor.
BRAILLE, BRAILLE_DOTS = (2, 4), np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
ASCII, ASCII_DOTS = (1, 2), np.array([[1], [2]])
ASCII_CHARACTERS = " '.:"
FRAMES = {True: ("┤", "│", "└", "─"), False: ("+", "|", "+", "-")}


@dataclass(frozen=True)
class Lines:
    """One panel: what it shows, the picture, and its values in words."""

    title: list[str]
    picture: list[str]
    summary: list[str]


def plot(curve: Curve, width: int, *, unicode: bool) -> Lines:
    """The panel of one curve in lines of at most `width` characters (40 at least)."""
    low, high = float(curve.values.min()), float(curve.values.max())
    labels = {0: number(high), N_LINES // 2: number(low / 2 + high / 2), N_LINES - 1: number(low)}
    if low == high:
        labels = {N_LINES // 2: number(low)}
    margin = max(map(len, labels.values())) + 1
    tick, side, corner, floor = FRAMES[unicode]
    n_columns = width - margin - 1
    rows = characters(dots(curve, n_columns, unicode=unicode), unicode=unicode)
    picture = [
        f"{labels.get(index, '').rjust(margin - 1)} {tick if index in labels else side}{row}".rstrip()
        for index, row in enumerate(rows)
    ]
    picture += [" " * margin + corner + floor * n_columns, " " * (margin + 1) + axis(curve, n_columns)]
    return Lines(fold(f"{curve.name} = {curve.text}", width), picture, fold(curve.summary, width))


def dots(curve: Curve, n_columns: int, *, unicode: bool) -> Array:
    """Where the curve goes, (rows, columns) of bool, the first row on top.

    Each column of dots covers an equal part of the run, from its lowest to its highest value, and reaches the column
    before it.
    """
    across, down = BRAILLE if unicode else ASCII
    n_rows, n = N_LINES * down, n_columns * across
    heights = n_rows - 1 - levels(curve.values, n_rows)
    starts = np.arange(n) * len(heights) // n
    stops = np.maximum(np.arange(1, n + 1) * len(heights) // n, starts + 1)
    grid = np.zeros((n_rows, n), np.bool_)
    before = heights[0]
    for column, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        span = heights[start:stop]
        top, bottom = min(span.min(), before), max(span.max(), before)
        # What the column before reached already need not be drawn again.
        top, bottom = top + (before < span.min()), bottom - (before > span.max())
        grid[top : bottom + 1, column] = True
        before = span[-1]
    return grid


def levels(values: Array, n_rows: int) -> Array:
    """Each value's row, counted from the lowest value's; the middle one for a curve that never changes."""
    low, high = values.min(), values.max()
    if low == high:
        return np.full(len(values), n_rows // 2)
    # Halves, since the difference of two large floats may be infinite.
    shares = (values / 2 - low / 2) / (high / 2 - low / 2)
    rows: Array = np.rint(shares * (n_rows - 1)).astype(np.intp)
    return rows


def characters(grid: Array, *, unicode: bool) -> list[str]:
    """The dots as lines of text."""
    (across, down), worth = (BRAILLE, BRAILLE_DOTS) if unicode else (ASCII, ASCII_DOTS)
    cells = grid.reshape(grid.shape[0] // down, down, grid.shape[1] // across, across)
    codes = np.einsum("ydxa,da->yx", cells.astype(np.intp), worth)
    if unicode:
        return ["".join(chr(0x2800 + code) if code else " " for code in line) for line in codes.tolist()]
    return ["".join(ASCII_CHARACTERS[code] for code in line) for line in codes.tolist()]


def axis(curve: Curve, n_columns: int) -> str:
    """First and last step at the ends, and what they count between them."""
    last = f"{curve.steps[-1]:,}"
    return "0" + "step".center(n_columns - 1 - len(last)) + last if curve.steps[-1] else "0 step"


def fold(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="    ")
