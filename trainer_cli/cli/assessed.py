"""What an evaluation found beside the scores, as JSON and as text for a terminal."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainer_cli.class_counts import UNKNOWN, ClassCounts, ClassScore
from trainer_cli.data.faults import printable
from trainer_cli.table import score_text

if TYPE_CHECKING:
    from rich.console import Console

    from trainer_cli.assessment import Assessment
    from trainer_cli.mistakes import Mistake

# Without a terminal nothing is folded; a table is still to be read.
PIPE_WIDTH = 100
MOST_CLASSES = 20  # of a table of what is confused
MOST_ROWS = 40  # of a table of classes
MOST_LABELS = 256  # of a matrix in JSON; of more only the counts that are not 0
NAME_WIDTH = 20
MOST_TITLE = 4  # a longer name stands beside its row alone


def details(found: Assessment, has_errors: bool) -> dict[str, Any]:
    """Scores by class, what is confused, and mistakes where they were asked for, as JSON takes them."""
    parts: dict[str, Any] = {}
    if found.per_class:
        parts["per_class"] = {each.name: class_entry(each) for each in found.per_class}
    if found.counts is not None:
        parts["confusion"] = confusion(found.counts)
    if has_errors:
        parts["errors"] = [error_entry(each) for each in found.mistakes]
    return parts


def class_entry(score: ClassScore) -> dict[str, Any]:
    shares = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {name: None if math.isnan(value) else value for name, value in shares.items()} | {
        "support": plain(score.support)
    }


def plain(count: float) -> float:
    """A count of rows as a whole number; a sum of weights may have a fraction."""
    return int(count) if float(count).is_integer() else count


def confusion(counts: ClassCounts) -> dict[str, Any]:
    """The matrix: a row for each true class, a column for each that rows were taken for."""
    classes = range(len(counts.names))
    told: dict[str, Any] = {"labels": list(counts.names)}
    if len(classes) > MOST_LABELS:
        cells = sorted((i, j, plain(count)) for (i, j), count in counts.cells.items())
        return told | {"cells": cells}
    told["counts"] = [[plain(count) for count in row] for row in counts.matrix(classes)]
    if counts.has_unknown:
        told["unknown"] = [plain(count) for count in counts.unknown(classes)]
    return told


def error_entry(mistake: Mistake) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": mistake.path, "line": mistake.line or None, "row": mistake.row}
    if mistake.token:
        entry["token"] = mistake.token
    if mistake.label is not None:
        entry["label"] = mistake.label
    name = "score" if is_class(mistake) else "error"
    values = {"truth": mistake.truth, "prediction": mistake.prediction, name: mistake.size}
    entry |= {key: None if value != value else value for key, value in values.items()}
    return entry | {"excerpt": mistake.excerpt}


def is_class(mistake: Mistake) -> bool:
    return not isinstance(mistake.truth, float)


def picture_of(found: Assessment, picture_format: str) -> bytes:
    """The bytes of a picture of the matrix, of very many classes with those that are confused the most."""
    from trainer_cli.picture import draw_confusion

    assert found.counts is not None
    classes = found.counts.most_confused(MOST_LABELS)
    titles, names, matrix = named(found.counts, classes)
    return draw_confusion(names, titles, matrix, picture_format)


def named(counts: ClassCounts, classes: Sequence[int]) -> tuple[list[str], list[str], list[list[float]]]:
    """The names of the columns and of the rows of a matrix, and the counts."""
    matrix, titles = counts.matrix(classes), [fitted(counts.names[k], NAME_WIDTH) for k in classes]
    if counts.has_unknown:
        return titles, [*titles, UNKNOWN], [*matrix, counts.unknown(classes)]
    return titles, titles, matrix


def show(found: Assessment, out: Console, of: str = "") -> None:
    """Print the tables of classes, and the mistakes where there are some; `of` is the set, where there are several."""
    width = out.width if out.is_terminal else PIPE_WIDTH
    blocks: list[tuple[str, list[str]]] = []
    if found.per_class:
        blocks.append(class_table(found.per_class, width))
    if found.counts is not None and len(found.counts.names) > 1:
        blocks.append(confusion_table(found.counts, width))
    if found.mistakes:
        blocks.append(("worst mistakes", [line for each in found.mistakes for line in mistake_lines(each, width)]))
    for heading, lines in blocks:
        out.print(f"{of}: {heading}" if of else heading, style="bold", markup=False)
        out.print("\n".join([*lines, ""]), markup=False)


def class_table(scores: Sequence[ClassScore], width: int) -> tuple[str, list[str]]:
    """A heading, and a line for each class; of very many, those with the lowest F1."""
    heading, chosen = "classes", list(scores)
    if len(chosen) > MOST_ROWS:
        heading = f"the {MOST_ROWS} of {len(scores)} classes with the lowest F1 (--json tells all)"
        worst = sorted(scores, key=lambda each: math.inf if math.isnan(each.f1) else each.f1)[:MOST_ROWS]
        chosen = [each for each in scores if each in worst]
    columns = ("precision", "recall", "F1", "support")
    room = max(8, width - 2 - sum(max(len(title), 7) + 2 for title in columns))
    names = [fitted(each.name, room) for each in chosen]
    name_width = max(len("class"), *map(len, names))
    lines = [line("class".ljust(name_width), columns, columns)]
    for name, each in zip(names, chosen, strict=True):
        values = [known(value) for value in (each.precision, each.recall, each.f1)]
        lines.append(line(name.ljust(name_width), [*values, amount(each.support)], columns))
    return heading, lines


def line(name: str, cells: Sequence[str], titles: Sequence[str]) -> str:
    return "  " + name + "".join(f"  {cell:>{max(len(title), 7)}}" for cell, title in zip(cells, titles, strict=True))


def known(value: float) -> str:
    return "n/a" if math.isnan(value) else score_text(value)


def amount(count: float) -> str:
    return f"{int(count):,}" if float(count).is_integer() else f"{count:.4g}"


def confusion_table(counts: ClassCounts, width: int) -> tuple[str, list[str]]:
    """A heading, and the matrix of as many classes as there is room for: those that are confused the most."""
    n = min(MOST_CLASSES, len(counts.names))
    while True:
        classes = counts.most_confused(n)
        rows = grid(counts, classes)
        if n <= 2 or max(map(len, rows)) <= width:
            break
        n -= 1
    heading = "confusion (true classes down, predictions across)"
    if n < len(counts.names):
        inside = sum(count for (i, j), count in counts.cells.items() if i != j and {i, j} <= {*classes, -1})
        rows.append(f"  the {n} most confused of {len(counts.names)} classes;")
        rows.append(f"  {amount(inside)} of {amount(counts.n_wrong)} mistakes are among them")
    return heading, rows


def grid(counts: ClassCounts, classes: Sequence[int]) -> list[str]:
    """The lines of a matrix. If one name is too long for a column, all are told by letters, whatever the counts are."""
    titles, names, matrix = named(counts, classes)
    cells = [[amount(count) if count else "." for count in row] for row in matrix]
    cell_width = max(len(cell) for row in cells for cell in row)
    if max(map(len, titles)) > MOST_TITLE:
        titles = list(string.ascii_lowercase[: len(classes)])
        names = [f"{title} {name}" for title, name in zip([*titles, " "], names, strict=False)]
    cell_width = max(cell_width, *map(len, titles))
    name_width = max(map(len, names))
    lines = ["  " + " " * name_width + "".join(f" {title:>{cell_width}}" for title in titles)]
    for name, row in zip(names, cells, strict=True):
        lines.append("  " + name.ljust(name_width) + "".join(f" {cell:>{cell_width}}" for cell in row))
    return lines


def fitted(text: str, width: int) -> str:
    """Text fit for a terminal, cut to a width."""
    plain_text = printable(text, 1000)
    return plain_text if len(plain_text) <= width else plain_text[: width - 3] + "..."


def mistake_lines(mistake: Mistake, width: int) -> list[str]:
    """What was taken for what and where, and below it the beginning of the record."""
    size = known(mistake.size)
    token = f" token {mistake.token}" if mistake.token else ""
    place = printable(f"{mistake.place}{token}", 200)
    if mistake.label is not None:
        words = f"{mistake.label}: {said(mistake.truth)}, predicted {said(mistake.prediction)}"
    elif is_class(mistake):
        words = f"true {mistake.truth}, predicted {mistake.prediction}"
    else:
        words = f"true {mistake.truth:g}, predicted {mistake.prediction:g}"
    words, margin = printable(words, 200), " " * 12
    lines = [f"  {size:>8}  {words}  {place}"]
    if len(lines[0]) > width:
        lines = [f"  {size:>8}  {words}", f"{margin}{place}"]
    if mistake.excerpt:
        lines.append(margin + fitted(mistake.excerpt, max(20, width - len(margin))))
    return lines


def said(flag: bool) -> str:
    return "yes" if flag else "no"
