import json

import pytest
import snippets
from packages import GetDataError

AMAZON = b"1_1\t-0.9\tno picture.\r\n1_2\t0.25\t plays \r\n1_3\t0.5\tgood"
MOVIE = "1\t2.26666666667\tTouché!\r\n2\t-3\tgood\r\n".encode()


@pytest.fixture
def archive(packed, tmp_path):
    """Write the source archive of these texts."""

    def write(files):
        inner = packed({f"hutto_ICWSM_2014/{name}": content for name, content in files.items()})
        path = tmp_path / "vaderSentiment-3.3.2.tar.gz"
        path.write_bytes(packed({"v/setup.py": b"", f"v/additional_resources/{snippets.INNER}": inner}))
        return path

    return write


@pytest.fixture
def files(sha256):
    return {"amazon": ("a.txt", sha256(AMAZON)), "movie": ("m.txt", sha256(MOVIE))}


def test_snippets_have_source_rating_and_label_and_each_text_is_there_once(archive, files):
    found = snippets.read(archive({"a.txt": AMAZON, "m.txt": MOVIE}), files)
    assert [(row.id, row.text, row.rating, row.label) for row in sorted(found, key=str)] == [
        ("amazon-1_1", "no picture.", -0.9, "negative"),
        ("amazon-1_2", "plays", 0.25, "neutral"),
        ("amazon-1_3", "good", 0.5, "positive"),
        ("movie-1", "Touché!", 2.2667, "positive"),
    ]
    assert {row.id for row in snippets.clear(found)} == {"amazon-1_1", "amazon-1_3", "movie-1"}


def test_the_order_tells_nothing_of_the_rating(archive, sha256):
    content = "".join(f"{n}\t{n / 500 - 1}\ttext {n}\n" for n in range(1000)).encode()
    found = snippets.read(archive({"m.txt": content}), {"movie": ("m.txt", sha256(content))})
    ratings = [row.rating for row in found]
    assert abs(sum(ratings[:300]) / 300 - sum(ratings[-300:]) / 300) < 0.2
    assert abs(sum(sorted(ratings)[:300]) / 300 - sum(sorted(ratings)[-300:]) / 300) > 1


def test_other_content_is_refused(archive, files):
    with pytest.raises(GetDataError, match=r"a\.txt of vaderSentiment-3\.3\.2\.tar\.gz is not what it was"):
        snippets.read(archive({"a.txt": AMAZON.replace(b"no", b"on"), "m.txt": MOVIE}), files)


def test_what_an_archive_lacks_is_named(archive, files, packed, tmp_path):
    with pytest.raises(GetDataError, match=r"has no m.txt"):
        snippets.read(archive({"a.txt": AMAZON}), files)
    path = tmp_path / "other.tar.gz"
    path.write_bytes(packed({"v/setup.py": b""}))
    with pytest.raises(GetDataError, match=f"has no {snippets.INNER}"):
        snippets.read(path, files)


def test_a_split_depends_on_the_ids_alone():
    rows = [snippets.Snippet(f"movie-{n}", "text", 1.0) for n in range(10000)]
    parts = snippets.split(rows)
    assert {name: round(len(part) / len(rows), 2) for name, part in parts.items()} == {
        "train": 0.8,
        "test": 0.1,
        "dev": 0.1,
    }
    assert sorted(row.id for part in parts.values() for row in part) == sorted(row.id for row in rows)
    fewer = snippets.split(rows[::3])
    assert {row.id for row in fewer["dev"]} == {row.id for row in parts["dev"]} & {row.id for row in rows[::3]}


def test_another_salt_is_another_split():
    rows = [snippets.Snippet(f"movie-{n}", "text", 1.0) for n in range(1000)]
    assert snippets.split(rows)["test"] == snippets.split(rows)["test"]
    both = {row.id for row in snippets.split(rows)["test"]} & {
        row.id for row in snippets.split(rows, salt="1 ")["test"]
    }
    assert len(both) < 30


def test_rows_are_written_as_json_lines(tmp_path):
    path = tmp_path / "reviews.jsonl"
    snippets.write(path, [snippets.Snippet("movie-1", "Touché!", 2.2667)])
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "id": "movie-1",
        "text": "Touché!",
        "rating": 2.2667,
        "label": "positive",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["reviews.jsonl"]
