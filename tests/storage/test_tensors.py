import json
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from storage_fakes import same_bits

from trainer_cli import tensors
from trainer_cli.errors import DamagedError
from trainer_cli.tensors import from_bytes, to_bytes

arrays = hnp.arrays(
    st.sampled_from([np.dtype(dtype) for dtype in tensors.DTYPES.values()]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
names = st.text(min_size=1, max_size=12).filter(lambda name: name != "__metadata__")
CHECKED = settings(max_examples=150)


@CHECKED
@given(st.dictionaries(names.filter(lambda name: name.isprintable()), arrays, max_size=5))
def test_arrays_come_back_to_the_bit_and_as_the_reference_reads_them(original):
    data = to_bytes(original)
    found = from_bytes(data)
    assert found.keys() == original.keys()
    for name, array in original.items():
        assert same_bits(found[name], array)
        assert found[name].flags.writeable
    if all(array.size for array in original.values()):  # the reference fails on some empty arrays
        assert all(same_bits(found[name], array) for name, array in safetensors.numpy.load(data).items())


def test_order_in_memory_and_byte_order_do_not_matter():
    grid = np.arange(6, dtype=">i4").reshape(2, 3)
    views = {"f": np.asfortranarray(grid), "t": grid.T, "s": grid[:, ::2], "zero": np.array(2.5)}
    found = from_bytes(to_bytes(views))
    for name, view in views.items():
        assert found[name].shape == view.shape
        assert np.array_equal(found[name], view)


def test_names_that_look_like_paths_are_only_names():
    name = "../../etc/passwd"
    assert list(from_bytes(to_bytes({name: np.zeros(1)}))) == [name]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.array([1j]), np.zeros(2, dtype="M8[s]")])
def test_other_dtypes_are_not_written(array):
    with pytest.raises(AssertionError):
        to_bytes({"a": array})


def pack(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


BAD = {
    "empty": b"",
    "seven bytes": b"\0" * 7,
    "header longer than the file": pack({}, length=1 << 40),
    "header of all ones": b"\xff" * 8,
    "not json": pack(b"{'a'"),
    "a list": pack([]),
    "deep": pack(b"[" * 1_000_000),
    "duplicate": pack(b'{"a": {}, "a": {}}'),
    "entry is a number": pack({"a": 1}),
    "key missing": pack({"a": {"dtype": "F32", "shape": [1]}}),
    "key more": pack({"a": entry() | {"code": 1}}, b"\0" * 4),
    "unknown dtype": pack({"a": entry("O")}, b"\0" * 4),
    "dtype is a list": pack({"a": entry(["F32"])}, b"\0" * 4),
    "bfloat": pack({"a": entry("BF16", (2,))}, b"\0" * 4),
    "shape product overflows": pack({"a": entry(shape=(2**32, 2**32))}, b"\0" * 4),
    "shape product wraps to four": pack({"a": entry("U8", (2**62, 4, 0), (0, 4))}, b"\0" * 4),
    "huge size": pack({"a": entry(shape=(10**30,))}, b"\0" * 4),
    "negative shape": pack({"a": entry(shape=(-1, -1))}, b"\0" * 4),
    "float shape": pack({"a": entry(shape=(1.0,))}, b"\0" * 4),
    "boolean shape": pack({"a": entry(shape=(True,))}, b"\0" * 4),
    "many axes": pack({"a": entry(shape=(1,) * 65)}, b"\0" * 4),
    "offsets beyond the file": pack({"a": entry(offsets=(4, 8))}, b"\0" * 4),
    "offsets backwards": pack({"a": entry(shape=(0,), offsets=(4, 0))}, b"\0" * 4),
    "three offsets": pack({"a": entry(offsets=(0, 4, 4))}, b"\0" * 4),
    "overlap": pack({"a": entry(), "b": entry()}, b"\0" * 4),
    "hole": pack({"a": entry(), "b": entry(offsets=(8, 12))}, b"\0" * 12),
    "bytes left over": pack({"a": entry()}, b"\0" * 5),
    "truncated": pack({"a": entry()}, b"\0" * 3),
    "not a truth value": pack({"a": entry("BOOL", (1,), (0, 1))}, b"\2"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_a_damaged_error_before_anything_is_allocated(data):
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError, match=r"^m\.safetensors: "):
            from_bytes(data, "m.safetensors")
        assert tracemalloc.get_traced_memory()[1] < 10 * len(data) + 100_000
    finally:
        tracemalloc.stop()


def test_the_error_names_file_and_tensor_on_one_line():
    with pytest.raises(DamagedError, match=r"^p: hidden\.W: shape \[3\] of F32 does not fill 4 bytes$"):
        from_bytes(pack({"hidden.W": entry(shape=(3,))}, b"\0" * 4), "p")
    with pytest.raises(DamagedError) as caught:
        from_bytes(pack({"a\n" + "b" * 10_000: entry(shape=(3,))}, b"\0" * 4), "p")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@CHECKED
@given(st.integers(0, 10**6), st.binary(max_size=40), st.binary(max_size=8))
def test_any_bytes_load_or_are_a_damaged_error(offset, patch, junk):
    data = bytearray(to_bytes({"W": np.ones((2, 3)), "b": np.ones(3, dtype=bool)}) + junk)
    offset %= len(data)
    data[offset : offset + len(patch)] = patch
    for candidate in (bytes(data), patch + junk):
        with suppress(DamagedError):
            from_bytes(candidate)


def test_without_the_check_of_cover_two_tensors_could_share_bytes(monkeypatch):
    monkeypatch.setattr(tensors, "_check_cover", lambda *_: None)
    assert from_bytes(BAD["overlap"]).keys() == {"a", "b"}
