"""What can be said of DocBin files where spaCy is not installed; `tests/engines` has the rest."""

import sys

import pytest

from trainer_cli.data.readers.auto import AutoReader, format_of
from trainer_cli.data.readers.docbin import DocBinReader
from trainer_cli.data.readers.documents import biluo
from trainer_cli.errors import DataError


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)


def test_the_name_of_a_file_tells_its_format(tmp_path):
    assert format_of(tmp_path / "train.spacy") == "docbin"


@pytest.mark.parametrize("reader", [DocBinReader, AutoReader])
def test_what_is_missing_is_told_with_the_remedy(without, tmp_path, reader):
    (tmp_path / "train.spacy").write_bytes(b"")
    with pytest.raises(DataError, match=r"docbin.v1 needs spacy.*pip install 'trainer-cli\[spacy\]'"):
        reader(tmp_path / "train.spacy").columns()


def test_entities_are_told_apart_as_their_codes_say():
    import numpy as np

    codes, types = np.array([1, 1, 2, 0, 3, 3, 1, 1]), ["A", "A", "", "", "B", "C", "C", "C"]
    assert biluo(codes, types, np.array([0, 8])) == ["B-A", "L-A", "O", "O", "U-B", "B-C", "I-C", "L-C"]
    assert biluo(codes, types, np.array([0, 1, 7, 8])) == ["U-A", "U-A", "O", "O", "U-B", "B-C", "L-C", "U-C"]


def test_neighbouring_entities_are_two_though_their_types_are_one():
    import numpy as np

    assert biluo(np.array([3, 3, 1, 3]), ["A"] * 4, np.array([0, 4])) == ["U-A", "B-A", "L-A", "U-A"]
    assert biluo(np.array([3, 1, 3, 1]), ["A"] * 4, np.array([0, 4])) == ["B-A", "L-A", "B-A", "L-A"]
    # Planted bug: were every token of the type inside, both would be one entity.
    assert biluo(np.array([3, 1, 1, 1]), ["A"] * 4, np.array([0, 4])) == ["B-A", "I-A", "I-A", "L-A"]


def test_a_token_that_begins_an_entity_of_no_type_is_outside():
    import numpy as np

    codes, types = np.array([3, 3, 1, 3, 1]), ["A", "", "A", "B", ""]
    assert biluo(codes, types, np.array([0, 5])) == ["U-A", "O", "U-A", "U-B", "O"]
