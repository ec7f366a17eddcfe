"""What a config gives in the place of a module, told where it is none."""

from __future__ import annotations

from typing import Any


def told(module: Any) -> str:
    """What it is, with what to do about the two that come of a slip.

    >>> told(None), told(dict), told(0)
    ('None: does the function return what it makes?', 'the class dict: return one that is made, dict(...)', 'an int')
    """
    if module is None:
        return "None: does the function return what it makes?"
    if isinstance(module, type):
        return f"the class {module.__name__}: return one that is made, {module.__name__}(...)"
    name = type(module).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
