"""The command `trainer`, also as `python -m trainer_cli`."""

from __future__ import annotations

import os
import signal


def main() -> None:
    # Until a command handles it, Ctrl-C ends the process at once: there is nothing to save, and no traceback to show.
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))
    from trainer_cli import streams
    from trainer_cli.cli import app

    streams.open_missing()
    streams.quieten()
    app(prog_name="trainer")


if __name__ == "__main__":
    main()
