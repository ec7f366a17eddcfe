import json
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_cli import json_text
from trainer_cli.json_text import decode, depth, dumps, encode, loads

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**130), 2**130),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["nan", "inf", "-inf", "'nan", "0x1.8p+1", "-0x0.0p+0", "''", "NaN"]),
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


@settings(max_examples=300)
@given(values)
def test_what_goes_through_json_comes_back_to_the_bit(value):
    assert same(decode(loads(dumps(encode(value)))), value)


def test_without_the_apostrophe_texts_that_look_like_floats_come_back_as_floats(monkeypatch):
    monkeypatch.setattr(json_text, "FLOAT", json_text.re.compile("(?!)"))  # encode escapes nothing
    stored = encode(["nan", 0.5])
    monkeypatch.undo()
    assert not same(decode(stored), ["nan", 0.5])


def test_keys_are_sorted_and_the_text_is_plain_ascii():
    assert dumps({"b": 1, "a": "é"}) == b'{\n "a": "\\u00e9",\n "b": 1\n}\n'


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {"a": b"x"}, {"a": [object()]}, {"a": {1}}])
def test_what_json_would_change_is_a_type_error_that_names_the_place(value):
    with pytest.raises(TypeError, match="state"):
        encode(value)


def test_a_float_that_was_not_encoded_and_is_not_finite_is_refused():
    with pytest.raises(ValueError):
        dumps(float("nan"))


def test_a_value_too_deep_to_be_read_back_is_not_written():
    value = []
    for _ in range(json_text.MAX_DEPTH):
        value = [value]
    with pytest.raises(AssertionError):
        dumps(value)


BAD = {
    "duplicate": b'{"a": 1, "a": 2}',
    "inner duplicate": b'[{"b": {"a": 1, "a": 1}}]',
    "nan": b'{"a": NaN}',
    "infinity": b"[-Infinity]",
    "not utf-8": b'"\xff"',
    "bom": b"\xef\xbb\xbf{}",
    "empty": b"",
    "two values": b"{} {}",
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' * 65 + b"1" + b"}" * 65,
    "long integer": b"1" * 5000,
    "no end": b'{"a": "',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_bad_json_is_a_value_error_of_one_line(data):
    with pytest.raises(ValueError) as caught:
        loads(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_standard_parser_alone_would_take_duplicates_and_fall_over_depth():
    assert json.loads(BAD["duplicate"]) == {"a": 2}
    with pytest.raises(RecursionError):
        json.loads(BAD["deep"])


def test_brackets_in_texts_do_not_count_as_depth():
    assert depth(b'["[[[[", {"\\"{": 1}]') == 2
    assert depth(b'"' + b"[" * 1000) == 0
    assert depth(b'"\\') == 0


def test_depth_of_hostile_text_takes_linear_time():
    assert depth(b'"\\"' * 1_000_000) == 0  # a regex that backs up would take hours
