"""What `model.to_bytes()` of thinc writes: the numbers in it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli.errors import ModelFileError


def fill(module: Any, path: Path) -> None:
    """Copy the parameters in a file into a module like the one that wrote it, and the seeds by which layers hash.

    The file is msgpack with arrays, which srsly reads without running anything. thinc's own `from_bytes` would hand the
    bytes of shims to their libraries, which unpickle them: they are refused here. ModelFileError: the file cannot be
    read, or is another model's.
    """
    message, nodes = read(path), list(module.walk())
    n_parts = {key: len(message[key]) for key in ("nodes", "params", "attrs", "shims")}
    if set(n_parts.values()) != {len(nodes)}:
        raise ModelFileError(f"{path}: has {n_parts['nodes']} layers, the module has {len(nodes)}")
    if any(message["shims"]):
        raise ModelFileError(f"{path}: has modules of other libraries, whose bytes could run code: they are not read")
    for node, params, attrs in zip(nodes, message["params"], message["attrs"], strict=True):
        if set(params) != set(node.param_names):
            raise ModelFileError(
                f"{path}: {node.name} has the parameters {sorted_names(params)}, not {sorted_names(node.param_names)}"
            )
        for name, value in params.items():
            if value is not None or node.has_param(name):
                node.set_param(name, fitting(value, node, name, path))
        if type(node.attrs.get("seed")) is int and isinstance(attrs.get("seed"), bytes):
            seed = decoded(attrs["seed"], path)
            node.attrs["seed"] = seed if type(seed) is int else node.attrs["seed"]


def read(path: Path) -> dict[str, Any]:
    """The parts of the file, each of the kind it has to be."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise ModelFileError(f"{path}: cannot be read: {err.strerror}") from err
    message = decoded(data, path)
    kinds = {"nodes": dict, "params": dict, "attrs": dict, "shims": list}
    for key, kind in kinds.items():
        part = message.get(key) if isinstance(message, dict) else None
        if not isinstance(part, list) or not all(isinstance(entry, kind) for entry in part):
            raise ModelFileError(f"{path}: is not what model.to_bytes() of thinc writes: {key} is missing or damaged")
    assert isinstance(message, dict)
    return message


def decoded(data: bytes, path: Path) -> Any:
    from srsly import msgpack

    try:
        return msgpack.loads(data, raw=False, use_list=True)
    except Exception as err:
        raise ModelFileError(f"{path}: is not what model.to_bytes() of thinc writes: {err}") from err


def fitting(value: Any, node: Any, name: str, path: Path) -> Any:
    """An array of the file, as the module holds its own. ModelFileError: it is none, or of another shape."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise ModelFileError(f"{path}: {node.name}.{name} is not an array of numbers")
    held = node.get_param(name) if node.has_param(name) else value
    if held.shape != value.shape:
        raise ModelFileError(f"{path}: {node.name}.{name} has shape {value.shape}, the module's {held.shape}")
    return np.array(value, held.dtype, order="C")


def sorted_names(names: Any) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
