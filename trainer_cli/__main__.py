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
    try:
        app(prog_name="trainer")
    finally:
        # All is done: an interrupt from here on would only spoil the exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
