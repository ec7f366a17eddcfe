"""The commands, and what is said of those that there are not."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

# Commands that spaCy has: what does the same.
OTHERS = {
    "apply": "trainer predict does that",
    "assemble": "A model folder is whole, and can be copied",
    "benchmark": "trainer evaluate does that",
    "convert": "Files of CoNLL, IOB and JSON are read as they are",
    "debug": "trainer debug-config checks a config, trainer describe tells what data hold",
    "download": "There are no models to download",
    "fill-config": "trainer debug-config prints a config with every default",
    "find-function": "trainer debug-config CONFIG -F tells where each function is",
    "find-threshold": 'threshold = "best" in a metric of the config finds it',
    "info": "trainer --version tells the version",
    "init": "trainer init-config looks at data, trainer convert-config takes a config of spaCy's",
    "package": "A model folder is whole, and can be copied",
    "pretrain": "[training] init_from begins with numbers of another run",
}


class Commands(TyperGroup):
    """A group that knows the names of commands elsewhere."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except Exception as err:  # typer exports no name for its usage errors
            if args and args[0] in OTHERS and hasattr(err, "message"):
                vars(err).update(message=f"No such command {args[0]!r}. {OTHERS[args[0]]}.")
            raise
