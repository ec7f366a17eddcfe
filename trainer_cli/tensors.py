"""Named arrays as safetensors bytes and back (format: https://github.com/huggingface/safetensors, version 0.4, 2023).

8 bytes little-endian n, n bytes of JSON header, then the data end to end. The header is held against the real size
before anything is allocated. Names are keys of a dict and nothing else: never a path, an attribute or a module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import json_text
from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.folder import damaged

DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
STORABLE = {np.dtype(dtype) for dtype in DTYPES.values()}
MAX_HEADER = 1 << 24
MAX_AXES = 32


@dataclass(frozen=True)
class Segment:
    """Where a tensor lies in the data: its bytes are `begin` to `end`."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def to_bytes(arrays: Mapping[str, Array]) -> bytes:
    """The arrays as one safetensors file; they keep shape and dtype, bool, integers and floats up to 64 bits.

    >>> from_bytes(to_bytes({"W": np.ones((1, 2), dtype=np.float32)}))
    {'W': array([[1., 1.]], dtype=float32)}
    """
    import safetensors.numpy

    for name, array in arrays.items():
        assert name not in ("", "__metadata__"), "a tensor needs a name of its own"
        assert array.dtype.newbyteorder("<") in STORABLE, f"{name}: {array.dtype} cannot be stored"
    # ascontiguousarray alone turns a scalar into a row of one.
    whole = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    data: bytes = safetensors.numpy.save(whole)
    return data


def from_bytes(data: bytes, path: Path | str = "safetensors") -> dict[str, Array]:
    """The arrays in `data`, each its own copy; whatever is wrong is a DamagedError `path: tensor: message`."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ArgumentError(f"{path}: expected bytes, got {type(data).__name__}")
    path = Path(path)
    segments, start = _read_header(data, path)
    arrays = {}
    for name, segment in segments.items():
        body = np.frombuffer(data, dtype=np.uint8, count=segment.end - segment.begin, offset=start + segment.begin)
        if segment.dtype == "BOOL" and body.max(initial=0) > 1:
            raise damaged(path, "a truth value is neither 0 nor 1", name)
        arrays[name] = body.copy().view(DTYPES[segment.dtype]).reshape(segment.shape)
    return arrays


def _read_header(data: bytes, path: Path) -> tuple[dict[str, Segment], int]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MAX_HEADER):
        raise damaged(path, f"a header of {length} bytes does not fit a file of {len(data)}")
    try:
        header = json_text.loads(data[8 : 8 + length])
    except ValueError as err:
        raise damaged(path, f"the header cannot be read: {err}") from err
    if not isinstance(header, dict):
        raise damaged(path, "the header is not a table of tensors")
    header.pop("__metadata__", None)
    segments = {name: _segment(entry, path, name) for name, entry in header.items()}
    _check_cover(segments, len(data) - 8 - length, path)
    return segments, 8 + length


def _segment(entry: Any, path: Path, name: str) -> Segment:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise damaged(path, "expected dtype, shape and data_offsets", name)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise damaged(path, f"the dtype {str(dtype)[:20]!r} is none of {', '.join(DTYPES)}", name)
    if not _are_sizes(shape) or len(shape) > MAX_AXES or not _are_sizes(offsets) or len(offsets) != 2:
        raise damaged(path, "a shape is a list of sizes, data_offsets are a begin and an end", name)
    begin, end = offsets
    # Python's integers do not overflow, so 2**32 x 2**32 is simply too large.
    if math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != end - begin:
        raise damaged(path, f"shape {shape} of {dtype} does not fill {end - begin} bytes", name)
    return Segment(dtype, tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 63 for item in value)


def _check_cover(segments: Mapping[str, Segment], size: int, path: Path) -> None:
    """Every byte of the data belongs to exactly one tensor."""
    position = 0
    for name, segment in sorted(segments.items(), key=lambda item: (item[1].begin, item[1].end)):
        if segment.begin != position:
            raise damaged(path, f"begins at byte {segment.begin} where {position} was due", name)
        position = segment.end
    if position != size:
        raise damaged(path, f"the tensors take {position} bytes, the file has {size}")
