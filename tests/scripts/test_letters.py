import make_letters
import numpy as np


def test_letters_are_whole_numbers_in_26_classes_and_the_same_every_time():
    columns, letters = make_letters.rows(3000)
    assert columns.shape == (3000, 16)
    assert np.unique(columns).tolist() == list(range(16))
    assert len(np.unique(letters)) == 26
    again, others = make_letters.rows(3000), make_letters.rows(3000, seed=1)
    assert (again[0] == columns).all()
    assert (again[1] == letters).all()
    assert not (others[0] == columns).all()


def test_near_rows_are_of_one_letter_far_more_often_than_chance():
    columns, letters = make_letters.rows(6000)
    known, asked = columns[:5500], columns[5500:]
    distance = (asked**2).sum(1)[:, None] - 2 * asked @ known.T + (known**2).sum(1)
    nearest = letters[:5500][distance.argmin(1)]
    assert 0.9 < (nearest == letters[5500:]).mean() < 1
    assert (nearest == letters[5000:5500]).mean() < 0.1, "of other rows they tell nothing"


def test_files_have_their_sizes_and_a_header(tmp_path, monkeypatch):
    monkeypatch.setattr(make_letters, "SIZES", {"train": 20, "test": 10})
    make_letters.main(tmp_path / "letters")
    lines = (tmp_path / "letters" / "letters-test.csv").read_text().splitlines()
    assert lines[0] == ",".join([*(f"m{n:02d}" for n in range(16)), "letter"])
    assert len(lines) == 11
    assert lines[1].rpartition(",")[2] in make_letters.LETTERS
