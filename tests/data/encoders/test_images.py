from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.images import Images
from trainer_cli.errors import DataError, ModelFileError

RNG = np.random.default_rng(4)
COLOUR = RNG.integers(0, 256, (9, 5, 4, 3), np.uint8)


def fitted(*blocks: Block, column: str | None = None) -> Images:
    encoder = Images(column)
    encoder.choose(tuple(blocks[0].columns))
    for block in blocks:
        encoder.fit(block)
    encoder.finish_fit()
    return encoder


def test_each_channel_is_standardised_by_all_of_its_pixels(block):
    encoder = fitted(block(X=COLOUR[:4]), block(X=COLOUR[4:]))
    encoded = encoder.encode(block(X=COLOUR))
    scaled = COLOUR / 255
    expected = (scaled - scaled.mean(axis=(0, 1, 2))) / scaled.std(axis=(0, 1, 2))
    np.testing.assert_allclose(encoded, expected, atol=1e-6)
    assert (encoded.dtype, encoded.flags.c_contiguous, encoder.width) == (np.float32, True, 60)


def test_grey_images_get_a_channel(block):
    rows = block(X=COLOUR[..., 0])
    assert fitted(rows).encode(rows).shape == (9, 5, 4, 1)


def test_what_is_not_trained_on_does_not_count(block):
    encoder = fitted(block(X=np.uint8([[[0, 255]]])))
    assert encoder.encode(block(X=np.uint8([[[255, 255]]]))).ravel().tolist() == [1, 1]


def test_images_of_one_colour_are_zeros(block):
    rows = block(X=np.full((2, 3, 3), 7, np.uint8))
    assert not fitted(rows).encode(rows).any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"], "data.npz: X: expected images of bytes, .H, W. or .H, W, C. each, got text"),
        (np.zeros((3, 2), np.uint8), r"got uint8 \(2,\)"),
        (np.zeros((3, 2, 2)), r"got float64 \(2, 2\)"),
    ],
)
def test_other_columns_are_refused(block, values, message):
    with pytest.raises(DataError, match=message):
        fitted(block(lines=False, X=values))


def test_images_must_be_as_large_as_in_training(block):
    encoder = fitted(block(X=COLOUR))
    for other in (COLOUR[:, :4], COLOUR[..., 0]):
        with pytest.raises(DataError, match=r"training had images of 5 x 4 x 3, got"):
            encoder.encode(block(X=other))


def test_the_column_must_be_clear():
    with pytest.raises(DataError, match="column: name the column of images"):
        Images().choose(("a", "b"))
    with pytest.raises(DataError, match='column: no column is called "c"'):
        Images("c").choose(("a", "b"))


def test_state_brings_back_what_it_does(block):
    encoder = fitted(block(X=COLOUR))
    other = Images.from_state(*encoder.to_state())
    np.testing.assert_array_equal(other.encode(block(X=COLOUR)), encoder.encode(block(X=COLOUR)))
    assert other.reads == ("X",)


@pytest.mark.parametrize("damage", [{"column": None}, {"shape": [2, 2]}, {"shape": [2, 2, 4]}, {"shape": "22"}])
def test_a_damaged_state_is_refused(block, damage):
    state, arrays = fitted(block(X=COLOUR)).to_state()
    with pytest.raises(ModelFileError):
        Images.from_state({**state, **damage}, arrays)
    with pytest.raises(ModelFileError):
        Images.from_state(state, {"mean": arrays["mean"], "scale": arrays["scale"] * 0})
