"""The command `trainer`, also as `python -m trainer_cli`."""

from __future__ import annotations

from trainer_cli import streams
from trainer_cli.cli import app


def main() -> None:
    streams.open_missing()
    streams.quieten()
    try:
        app(prog_name="trainer")
    finally:
        streams.flush_at_exit()


if __name__ == "__main__":
    main()
