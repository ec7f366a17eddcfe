"""Run the commands of docs/tutorial.md, and write what they print onto the page: `python scripts/tutorial.py`.

A block ```` ```console ```` has commands, each after `$ `, and below each the lines that it shows in a terminal of 80
columns. A line `...` stands for lines left out; writing leaves out the same ones. A line `^C` is Ctrl-C, pressed when
the lines above it are there.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
LEFT_OUT, CTRL_C = "...", "^C"
COMPLAINT = re.compile(r"\S+:\d+: ")  # FILE:LINE: what is wrong there

# What depends on the machine or its clock, and what is left of it to compare; blanks are single ones by then.
VARYING = {
    r"^(\d+ \d+) \S+ \S+ (\S+ \S+ \S+) \S+( \*)?$": r"\1 \2",  # EPOCH STEP [losses] SCORE RATE BATCH [seconds, star]
    r"^(loss|seconds) \S+$": r"\1",
    r"\bstep([ -])\d+": r"step\1",
}
DECIMAL = re.compile(r"(\d+\.\d+)")
COUNTS = re.compile(r"(?P<name>[a-z] .*?)(?P<counts>( (\d+|\.))+)")  # a line of the table of confusions
SCORE_TOLERANCE, COUNT_TOLERANCE = 0.02, 3


@dataclass(frozen=True)
class Shown:
    """A command of the page, and the lines below it."""

    command: str
    lines: tuple[str, ...]

    @property
    def parts(self) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
        """The lines above `...` or `^C` and those below it, None where all are shown."""
        cuts = [index for index, line in enumerate(self.lines) if line in (LEFT_OUT, CTRL_C)]
        if len(cuts) > 1:
            raise ValueError(f"{self.command}: one line {LEFT_OUT} or {CTRL_C} is understood, there are {len(cuts)}")
        return (self.lines[: cuts[0]], self.lines[cuts[0] + 1 :]) if cuts else (self.lines, None)

    @property
    def fails(self) -> bool:
        return CTRL_C in self.lines or any(COMPLAINT.match(line) for line in self.lines)


@dataclass(frozen=True)
class Done:
    """What a command showed, and its exit status."""

    lines: tuple[str, ...]
    status: int


def commands(page: str) -> list[Shown]:
    """The commands of the page, in their order."""
    return [shown for block in BLOCK.findall(page) for shown in of_block(block)]


def of_block(block: str) -> Iterator[Shown]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.rstrip("\n").split("\n")
        yield Shown(command, tuple(lines))


def run_all(shown: Sequence[Shown]) -> list[Done]:
    """Run the commands one after the other, in a new folder that has the data of configs/."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "configs", folder / "configs", ignore=shutil.ignore_patterns("fashion-mnist"))
        return [run(each, folder) for each in shown]


def run(shown: Shown, folder: Path) -> Done:
    """Run one command in a terminal of its own, with this Python's `trainer` first on the path."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    env = {name: value for name, value in os.environ.items() if name != "TRAINER_CONFIG_OVERRIDES"}
    env |= {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        ["sh", "-c", shown.command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    awaited = len(shown.parts[0]) if CTRL_C in shown.lines else None
    seen = b""
    for part in parts_of(ours):
        seen += part
        whole = seen[: seen.rfind(b"\n") + 1]  # without a progress bar
        if awaited is not None and len(on_screen(whole)) >= awaited:
            os.killpg(process.pid, signal.SIGINT)
            awaited = None
    return Done(on_screen(seen), process.wait())


def parts_of(terminal: int) -> Iterator[bytes]:
    """What is written to the terminal, until the other side is closed."""
    try:
        while part := os.read(terminal, 4096):
            yield part
    except OSError:  # how Linux says that it is closed
        pass
    finally:
        os.close(terminal)


def on_screen(seen: bytes) -> tuple[str, ...]:
    r"""The lines that stand in a terminal after all of `seen`, without colours and blank lines at both ends.

    >>> on_screen(b"\x1b[1mHEAD\x1b[0m\r\n 3 % | step 7\r             \r\x1b[32m done\x1b[0m\r\n")
    ('HEAD', ' done')
    """
    plain = re.sub(r"\x1b\[[\d;]*m", "", seen.decode(errors="replace"))
    text = "\n".join(overwritten(line).rstrip() for line in plain.replace("\r\n", "\n").split("\n"))
    return tuple(text.strip("\n").split("\n")) if text.strip() else ()


def overwritten(line: str) -> str:
    """A line whose parts begin at its start again, after each carriage return."""
    found = ""
    for part in line.split("\r"):
        found = "" if part.startswith("\x1b[K") else found
        part = part.removeprefix("\x1b[K")
        found = part + found[len(part) :]
    return found


def difference(shown: Shown, done: Done) -> str:
    """The first line of the page that the command did not show, as a complaint; empty where the page is right."""
    if shown.fails != (done.status != 0):
        return f"exit status {done.status}\n" + "\n".join(done.lines)
    above, below = shown.parts
    pairs = [*zip(above, done.lines, strict=False)]
    if below is not None:
        pairs += zip(reversed(below), reversed(done.lines), strict=False)
    for expected, found in pairs:
        if not alike(expected, found):
            return f"the page has  {expected}\nit showed     {found}"
    n_lines = len(above) + len(below or ())
    if len(done.lines) < n_lines or (below is None and len(done.lines) > n_lines):
        return f"the page has {n_lines} lines, it showed {len(done.lines)}:\n" + "\n".join(done.lines)
    return ""


def alike(expected: str, found: str) -> bool:
    """Whether two lines say the same on any machine: scores within 0.02, counts of confusions within 3.

    >>> alike("  accuracy   0.9857", "  accuracy   0.9714"), alike("  accuracy   0.9857", "  accuracy   0.9557")
    (True, False)
    """
    left, right = fixed(expected), fixed(found)
    confused, others = COUNTS.fullmatch(left), COUNTS.fullmatch(right)
    if confused and others and confused["name"] == others["name"]:
        return near(cells(confused), cells(others), COUNT_TOLERANCE)
    texts, found_texts = DECIMAL.split(left), DECIMAL.split(right)
    scores, found_scores = map(float, texts[1::2]), map(float, found_texts[1::2])
    return texts[::2] == found_texts[::2] and near([*scores], [*found_scores], SCORE_TOLERANCE)


def fixed(line: str) -> str:
    """A line with single blanks, and without what varies."""
    line = " ".join(line.split())
    for pattern, kept in VARYING.items():
        line = re.sub(pattern, kept, line)
    return line


def cells(line: re.Match[str]) -> list[int]:
    """The counts of a line of the table of confusions, where a point is none."""
    return [0 if cell == "." else int(cell) for cell in line["counts"].split()]


def near(left: Sequence[float], right: Sequence[float], tolerance: float) -> bool:
    return len(left) == len(right) and all(abs(a - b) <= tolerance + 1e-9 for a, b in zip(left, right, strict=True))


def rewritten(page: str, done: Sequence[Done]) -> str:
    """The page with what its commands showed."""
    each = iter(done)

    def block(found: re.Match[str]) -> str:
        lines = (line for shown in of_block(found[0]) for line in as_shown(shown, next(each)))
        return "".join(f"{line}\n" for line in lines)

    return BLOCK.sub(block, page)


def as_shown(shown: Shown, done: Done) -> list[str]:
    """The command and what it showed, cut as it is on the page."""
    above, below = shown.parts
    command = f"$ {shown.command}"
    if below is None:
        return [command, *done.lines]
    cut = CTRL_C if CTRL_C in shown.lines else LEFT_OUT
    return [command, *done.lines[: len(above)], cut, *done.lines[max(len(above), len(done.lines) - len(below)) :]]


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(rewritten(page, run_all(commands(page))), encoding="utf-8")


if __name__ == "__main__":
    main()
