"""columns.v1 with parts: encoders put together by column."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainer_cli.data.encoder import Part, pack, unpack
from trainer_cli.data.encoders.categories import Categories
from trainer_cli.data.encoders.columns import Columns
from trainer_cli.data.encoders.dates import Dates
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.data.faults import within
from trainer_cli.errors import DataError, ModelFileError
from trainer_cli.registry import registry

ROWS = {"a": ["1", "", "3", "1"], "k": list("xyxy"), "d": ["2024-01-01"] * 4, "name": list("pqrs")}


def numbers(*columns: str, **arguments: object) -> Part:
    return Part("measures", "numbers.v1", Numbers(columns=list(columns), **arguments))


def kinds(*columns: str, name: str = "kinds", **arguments: object) -> Part:
    return Part(name, "categories.v1", Categories(list(columns), **arguments))


def fitted(block, *parts: Part) -> Columns:
    encoder = Columns(*parts)
    encoder.choose(tuple(ROWS))
    encoder.fit(block(**ROWS))
    encoder.finish_fit()
    return encoder


def test_parts_of_numbers_stand_side_by_side_in_their_order(block):
    encoder = fitted(block, kinds("k"), numbers("a"))
    alone = [part.encoder.encode(block(**ROWS)) for part in encoder.parts]
    np.testing.assert_array_equal(encoder.encode(block(**ROWS)), np.concatenate(alone, axis=1))
    assert encoder.encode(block(**ROWS)).dtype == np.float32
    assert (encoder.width, encoder.reads) == (4, ("k", "a"))


def test_other_parts_give_a_dict_by_name(block):
    found = fitted(block, numbers("a"), kinds("k", encoding="embedding")).encode(block(**ROWS))
    assert isinstance(found, dict)
    assert {name: (part.shape, part.dtype) for name, part in found.items()} == {
        "measures": ((4, 2), np.float32),
        "kinds": ((4, 1), np.int64),
    }


@pytest.mark.parametrize("encoding", ["one-hot", "embedding"])
def test_each_column_of_categories_counts_the_rows_whose_value_it_knows(block, encoding):
    encoder = fitted(block, numbers("a"), kinds("k", encoding=encoding), kinds("a", name="more", encoding=encoding))
    rows = encoder.encode(block(a=["1", "3", "0", "1"], k=["nix"] * 4))
    assert encoder.known(rows) == {"k": 0, "a": 2}
    assert encoder.vocabulary() == {"k": ("x", "y"), "a": ("1",)}


def test_parts_of_different_encoders_may_read_one_column_and_of_the_same_not(block):
    assert fitted(block, numbers("a"), kinds("a", "k")).reads == ("a", "k")
    with pytest.raises(DataError) as caught:
        fitted(block, kinds("k"), kinds("k", name="again"))
    assert str(caught.value) == (
        '*.kinds.columns: the column "k" is read by [features.*.kinds] and [features.*.again]: take it out of one'
    )


def test_mistakes_name_the_section_of_the_part(block):
    with pytest.raises(DataError) as caught, within("features"):
        Columns(numbers("b"), kinds("K")).choose(tuple(ROWS))
    assert [problem.where for problem in caught.value.problems] == [
        "features.*.measures.columns",
        "features.*.kinds.columns",
    ]
    with (
        pytest.raises(DataError, match=r"^features\.\*\.kinds\.columns: no value of column name comes"),
        within("features"),
    ):
        fitted(block, kinds("name"))


def test_the_section_of_a_part_of_a_part_is_whole(block):
    inner = Part("inner", "columns.v1", Columns(kinds("name")))
    with pytest.raises(DataError, match=r"^features\.\*\.inner\.\*\.kinds\.columns: "), within("features"):
        fitted(block, inner)


def test_mistakes_of_all_parts_are_told_together_by_line(block):
    encoder = fitted(block, numbers("a"), Part("when", "dates.v1", Dates(["d"])))
    with pytest.raises(DataError) as caught:
        encoder.encode(block(a=["1", "x"], d=["y", "2024-01-01"]))
    assert [(problem.line, problem.where) for problem in caught.value.problems] == [(2, "d"), (3, "a")]


@pytest.mark.parametrize(
    ("parts", "arguments", "message"),
    [
        ((numbers("a"),), {"columns": ["a"]}, "columns: columns would do nothing beside"),
        ((numbers("a"),), {"exclude": ["a"]}, "exclude: exclude would do nothing beside"),
        ((object(),), {}, "*: columns.v1 takes sections [features.*.NAME] with a line @encoders"),
    ],
)
def test_wrong_arguments_are_named(parts, arguments, message):
    with pytest.raises(DataError) as caught:
        Columns(*parts, **arguments)
    assert str(caught.value).startswith(message)


def test_a_column_of_text_or_with_gaps_names_the_encoder_that_takes_it(block):
    encoder = Columns()
    encoder.choose(("a", "k"))
    with pytest.raises(DataError) as caught:
        encoder.fit(block(a=["1", *["2"] * 19, ""], k=["x"] * 21))
    assert [problem.message for problem in caught.value.problems] == [
        "the column holds text, not numbers: categories.v1 or dates.v1 may take it, in a section [features.*.NAME]; "
        'or leave it out, as [features] exclude = ["k"] does',
        "the value is empty; fill it in or leave the column or row out; or let numbers.v1 fill it in, in a section "
        "[features.*.NAME]",
    ]


def test_saved_parts_encode_to_the_same_bits(block):
    inner = Part("inner", "columns.v1", Columns(Part("when", "dates.v1", Dates(["d"]))))
    encoder = fitted(block, numbers("a"), kinds("k", encoding="embedding"), inner)
    states, arrays = pack({"features": ("columns.v1", encoder)})
    again = unpack(json.loads(json.dumps(states)), arrays)["features"]
    found, expected = again.encode(block(**ROWS)), encoder.encode(block(**ROWS))
    assert list(found) == list(expected)
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)
    assert again.to_state()[0] == encoder.to_state()[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: {**state, "parts": []},
        lambda state: {**state, "order": ["measures"]},
        lambda state: {**state, "order": ["kinds", "measures", "more"]},
        lambda state: {**state, "parts": {**state["parts"], "kinds": {}}},
        lambda state: {**state, "parts": {"measures": {**state["parts"]["measures"], "arrays": ["mean"]}}},
    ],
)
def test_a_damaged_state_is_refused(block, damage):
    state, arrays = fitted(block, numbers("a"), kinds("k")).to_state()
    Columns.from_state(state, arrays)
    with pytest.raises(ModelFileError):
        Columns.from_state(damage(state), arrays)


def test_a_config_names_the_parts(block):
    from trainer_cli.config.registry import registry as resolving

    section = {
        "@encoders": "columns.v1",
        "*": {
            "measures": {"@encoders": "numbers.v1", "columns": ["a"]},
            "k": {"@encoders": "dates.v1", "columns": ["d"]},
        },
    }
    made = resolving.resolve({"features": section})["features"]
    assert [(part.name, part.registered) for part in made.parts] == [("measures", "numbers.v1"), ("k", "dates.v1")]
    assert registry.encoders.get("columns.v1") is Columns
