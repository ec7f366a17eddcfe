"""A value that does not fit where it goes, said so that it can be mended."""

from __future__ import annotations

import enum
import typing
from typing import Any

from trainer_cli.config.annotations import members_of, name_type, origin_of
from trainer_cli.config.words import did_you_mean_number, say
from trainer_cli.registry import nearest


class MismatchError(Exception):
    """A value that does not fit; `where` is the path inside it, like `[2]` or `.key`."""

    def __init__(self, message: str, where: str = ""):
        super().__init__(message)
        self.where = where


def refuse(value: Any, annotation: Any) -> MismatchError:
    return MismatchError(f"expected {name_type(annotation)}, got {say(value)}{hint(value, annotation)}")


def hint(value: Any, annotation: Any) -> str:
    """What was probably meant, for a text where a number or one of some words is expected, or a number for a text."""
    if type(value) in (int, float) and str in members_of(annotation):
        return f'. Did you mean "{value}", in quotes?'
    if not isinstance(value, str):
        return ""
    words = [word for member in members_of(annotation) for word in words_of(member)]
    suggestion = nearest(value, words, '. Did you mean "{}"?')
    if not suggestion and {int, float} & set(members_of(annotation)):
        return did_you_mean_number(value)
    return suggestion


def words_of(annotation: Any) -> list[str]:
    if origin_of(annotation) is typing.Literal:
        return [word for word in typing.get_args(annotation) if isinstance(word, str)]
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return [member.value for member in annotation if isinstance(member.value, str)]
    return []
