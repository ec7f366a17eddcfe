from __future__ import annotations

import hashlib

import numpy as np
import pytest

from trainer_cli.data.block import Block, Places
from trainer_cli.data.fingerprint import fingerprint
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.errors import DataError


def test_one_file_has_the_sha256_of_its_bytes_whatever_its_name(write):
    text = b"a,b\n1,2\n"
    digest = hashlib.sha256(text).hexdigest()
    assert fingerprint(CSVReader(write(text, "one.csv"))) == fingerprint(CSVReader(write(text, "two.csv"))) == digest


def test_one_changed_byte_shows_in_any_file(write_idx):
    images, labels = np.zeros((3, 2, 2)), np.zeros(3)
    digests = set()
    for changed_images, changed_labels in ((images, labels), (images + 1, labels), (images, labels + 1)):
        digests.add(fingerprint(IdxReader(*write_idx(changed_images, changed_labels))))
    assert len(digests) == 3


class Rows:
    """A reader of a user's without files."""

    def __init__(self, **columns):
        self.held = columns

    def columns(self):
        return tuple(self.held)

    def blocks(self):
        yield Block(self.held, Places("rows"))


def test_a_reader_without_files_is_known_by_its_values():
    base = fingerprint(Rows(a=["1", "2"], b=np.array([1, 2])))
    assert base == fingerprint(Rows(a=["1", "2"], b=np.array([1, 2])))
    for other in (Rows(a=["1", "3"], b=np.array([1, 2])), Rows(a=["1", "2"], b=np.array([1.0, 2.0])), Rows(a=["1"])):
        assert fingerprint(other) != base


def test_a_missing_file_names_the_argument(tmp_path):
    with pytest.raises(DataError, match="path: no file is there"):
        fingerprint(CSVReader(tmp_path / "no.csv"))
