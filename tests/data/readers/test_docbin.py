"""What can be said of DocBin files where spaCy is not installed; `tests/engines` has the rest."""

import sys

import pytest

from trainer_cli.data.readers.auto import AutoReader, format_of
from trainer_cli.data.readers.docbin import DocBinReader, biluo
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
