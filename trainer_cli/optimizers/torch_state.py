"""What an optimizer of PyTorch remembers, as it is kept: tensors by full name, and the rest as JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from trainer_cli import json_text
from trainer_cli.arrays import Array
from trainer_cli.errors import ModelFileError
from trainer_cli.store import Store

if TYPE_CHECKING:
    import torch

# The state's part that is no array, as JSON.
FACTS = "facts"


def dtype_of(store: Store) -> torch.dtype:
    """PyTorch's name of the type of a store's numbers."""
    import torch

    dtype: torch.dtype = getattr(torch, store.dtype.name)
    return dtype


def check_kept(kept: Mapping[str, Any], expected: Mapping[str, Any], names: Collection[str], optimizer: str) -> None:
    """ModelFileError: what was kept are not the arrays, by full name, that PyTorch's optimizer would have."""
    for full in kept:
        if full.partition(".")[2] not in names:
            raise ModelFileError(f"{full}: belongs to no layer of this model")
    for full in sorted(kept.keys() ^ expected.keys()):
        raise ModelFileError(f"{full}: {'is missing' if full in expected else f'is nothing that {optimizer} keeps'}")
    for full, value in expected.items():
        found, wanted = kind_kept(kept[full]), kind_kept(value)
        if found != wanted:
            raise ModelFileError(f"{full}: is {found}, {optimizer} keeps {wanted}")


def kind_kept(value: Any) -> str:
    """What a part of a state is: `float32 (3, 4)` of an array or tensor, else the name of its class."""
    if not hasattr(value, "dtype"):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"


def others_of(arrays: dict[str, Array], optimizer: str) -> dict[str, Any]:
    """What is no array of a state, taken out of it. ModelFileError: the state is another optimizer's."""
    try:
        facts: dict[str, Any] = json_text.decode(json_text.loads(arrays.pop(FACTS).tobytes()))
        written, others = facts["optimizer"], dict(facts["others"])
    except (KeyError, TypeError, ValueError) as err:
        raise ModelFileError(f"the state of the optimizer is not one of {optimizer}: {err!r}") from err
    if written != optimizer:
        raise ModelFileError(f"the state of the optimizer is that of {written}, not of {optimizer}")
    return others
