from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_cli.data.readers.conll import ConllReader
from trainer_cli.data.readers.lines import Lines
from trainer_cli.data.readers.sentences import CONLLU
from trainer_cli.errors import ArgumentError, DataError


def rows(path, **arguments):
    """The only block's columns and the lines of its rows."""
    (block,) = ConllReader(path, **arguments).blocks()
    return dict(block.columns), [block.place(i)[1] for i in range(len(block))]


def fails(path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        list(ConllReader(path, **arguments).blocks())
    return str(caught.value)


def conllu(*ids: str) -> str:
    return "".join("\t".join([number, f"w{number}", *"_" * 8]) + "\n" for number in ids)


@pytest.mark.parametrize("apart", ["\t", " ", "   "])
def test_a_sentence_is_a_row_at_its_first_tokens_line(write, apart):
    text = "\n# one\nLeeds|B\nUnited|I\nwon|O\n\n\n# two\nAgain|O\n".replace("|", apart)
    tokens = [["Leeds", "United", "won"], ["Again"]]
    assert rows(write(text)) == ({"token": tokens, "tag": [["B", "I", "O"], ["O"]]}, [3, 9])


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n"])
def test_the_last_sentence_needs_no_blank_line(write, end):
    assert rows(write("a\tX" + end)) == ({"token": [["a"]], "tag": [["X"]]}, [1])


def test_bare_tokens_are_read_for_prediction(write):
    assert rows(write("a\nb\n\nc\n")) == ({"token": [["a", "b"], ["c"]]}, [1, 4])
    reader = ConllReader(write("a\tX\n"), names=["word", "tag"])
    assert ConllReader.at(write("a\n\nb\n"), **reader.settings()).columns() == ("word",)


def test_columns_are_named_in_order_or_by_their_places(write):
    path = write("EU NNP I-NP I-ORG\nrejects VBZ I-VP O\n")
    assert ConllReader(path, names=["token", "pos", "chunk", "tag"]).columns() == ("token", "pos", "chunk", "tag")
    found, _ = rows(path, columns_at={"token": 0, "tag": -1})
    assert found == {"token": [["EU", "rejects"]], "tag": [["I-ORG", "O"]]}


def test_a_file_without_the_last_column_lacks_what_is_counted_from_it(write):
    reader = ConllReader(write("EU NNP I-NP I-ORG\n"), columns_at={"token": 0, "tag": -1})
    assert reader.columns() == ("token", "tag")
    assert reader.settings()["width"] == 4
    assert ConllReader.at(write("EU NNP I-NP\n"), **reader.settings()).columns() == ("token",)
    assert ConllReader.at(write("EU NNP I-NP O\n"), **reader.settings()).columns() == ("token", "tag")
    assert ConllReader(write("EU\n"), columns_at={"token": 0, "tag": -1}).columns() == ("token",)


def test_the_beginning_of_a_document_is_no_sentence(write):
    path = write("-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n\n-DOCSTART- -X- O O\n\nhe PRP I-NP O\n")
    assert rows(path, columns_at={"token": 0, "tag": -1}) == (
        {"token": [["EU"], ["he"]], "tag": [["I-ORG"], ["O"]]},
        [3, 7],
    )


def test_a_block_has_the_lines_of_its_sentences(write):
    (block,) = ConllReader(write("# one\n" + conllu("1", "2-3", "2") + "\n" + conllu("1"))).blocks()
    first, second = block.lines
    assert [token[:2] for token in first.tokens] == [["1", "w1"], ["2", "w2"]]
    assert [(at, columns[0], columns[-1]) for at, columns in first.others] == [(0, "# one", "# one"), (1, "2-3", "_")]
    assert second.others == ()
    assert block.take(np.array([1])).lines == [second]


def test_ten_columns_are_conll_u_without_ranges_and_empty_nodes(write):
    path = write("# newpar\n# text = w1w2 w3\n" + conllu("1-2", "1", "2", "2.1", "3") + "\n" + conllu("0.1", "1"))
    found, lines = rows(path)
    assert tuple(found) == CONLLU
    assert (found["form"], lines) == ([["w1", "w2", "w3"], ["w1"]], [4, 10])
    plain, _ = rows(path, conllu=False)
    assert plain["form"][0] == ["w1-2", "w1", "w2", "w2.1", "w3"]
    chosen, _ = rows(path, columns_at={"token": 1}, conllu=True)
    assert chosen["token"][1] == ["w1"]


def test_comments_are_told_from_tokens(write):
    assert rows(write("# a\tb\n#c\n#\tX\n#tag\tO\n"))[0] == {"token": [["#", "#tag"]], "tag": [["X", "O"]]}
    assert rows(write("# X\n#tag O\na O\n"))[0] == {"token": [["#tag", "a"]], "tag": [["O", "O"]]}
    assert rows(write("# X\na O\n"), comment="")[0]["token"] == [["#", "a"]]
    assert rows(write("% X\na O\n"), comment="%")[0]["token"] == [["a"]]


WRONG = [
    ("", {}, " the file has no tokens; it must have one a line"),
    ("\n# only\n\n", {}, " the file has no tokens; it must have one a line"),
    ("a X\nb\n\nc X\n", {}, "2: expected 2 columns as in the first token's line, got 1"),
    ("a X\n\nb X Y\n", {}, "3: expected 2 columns as in the first token's line, got 3"),
    ("# x\na\tX\nb\tX\tY\n", {}, "3: expected 2 columns as in the first token's line, got 3"),
    ('{"token": ["a"]}\n', {}, '1: the file looks like JSON, an object a line: take @readers = "jsonl.v1"'),
    ("a b c\n", {}, '1: the line has 3 columns: say what they are, as names = ["token", "...", "tag"] does'),
    ("\na b c\n", {"names": ["x", "y"]}, "2: the line has 3 columns, names has 2: name all of them, or say where"),
    ("a b\n", {"columns_at": {"x": 2}}, "1: the line has 2 columns, so that none is at the places [2]"),
    ("a b\n", {"conllu": True}, "1: the line has 2 columns, CoNLL-U has 10, parted by tabs"),
    (conllu("1") + conllu("x"), {}, '2: expected the number of a word, as CoNLL-U has it first, got "x"'),
    (conllu("1") + conllu("1-"), {}, '2: expected the number of a word, as CoNLL-U has it first, got "1-"'),
    (b"a X\n\xff X\n", {}, "2: the file must be UTF-8 text, got byte 0xff at position 1 of the line"),
    (b"a X\n\0 X\n", {}, "2: a NUL byte stands in the line"),
    ((b"a" * 1000 + b" X\n") * 4300, {}, "1: a row is longer than 4 MiB; a blank line ends a sentence"),
]


@pytest.mark.parametrize(("content", "arguments", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_what_is_wrong_is_told_with_its_line(write, content, arguments, message):
    path = write(content, "x.conll")
    assert fails(path, **arguments).startswith(f"{path}:{message}")


def test_all_wrong_lines_are_told_and_whole_sentences_kept(write):
    path = write("a X\nb\nc\n\nd X\n\ne X Y\n")
    blocks = ConllReader(path).blocks()
    assert next(blocks).columns == {"token": [["d"]], "tag": [["X"]]}
    with pytest.raises(DataError) as caught:
        next(blocks)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": ["a"], "columns_at": {"a": 0}}, "columns_at: names and columns_at say the same thing twice"),
        ({"names": "token"}, "names: names are those of the columns"),
        ({"names": []}, "names: names are those of the columns"),
        ({"names": ["a", "a"]}, "names: each column needs a name of its own"),
        ({"columns_at": {"a": "0"}}, "columns_at: columns_at are places by name"),
        ({"columns_at": {}}, "columns_at: columns_at are places by name"),
        ({"columns_at": {"a": -1}, "width": 0}, "width: width is how many columns a line has"),
        ({"columns_at": {"a": 1}, "width": 2}, "width: width is for columns_at that count from the last column"),
        ({"comment": None}, "comment: comment is a text, got None"),
        ({"conllu": "yes"}, "conllu: conllu is true, false or left out, got 'yes'"),
    ],
)
def test_arguments_that_are_none_are_refused(write, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        ConllReader(write("a X\n"), **arguments)


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=1, max_size=5)
TOKENS = st.tuples(WORDS.filter(lambda word: not word.startswith("#")), WORDS)


@given(
    sentences=st.lists(st.lists(TOKENS, min_size=1, max_size=5), min_size=1, max_size=5), apart=st.sampled_from("\t ")
)
def test_sentences_that_are_written_come_back(write, sentences, apart):
    text = "\n\n".join("\n".join(apart.join(token) for token in sentence) for sentence in sentences)
    found, _ = rows(write(text))
    assert found == {
        "token": [[token for token, _ in sentence] for sentence in sentences],
        "tag": [[tag for _, tag in sentence] for sentence in sentences],
    }


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_way(write, content):
    path = write(b"a\tX\n" + content)
    try:
        list(ConllReader(path).blocks())
    except DataError as err:
        refusal = err
    else:
        return
    assert all(problem.path == str(path) for problem in refusal.problems)


def test_memory_does_not_grow_with_the_file(write, assert_streams):
    assert_streams(lambda n: ConllReader(write("a X\n\n" * n)), many=40_000)


def test_a_reader_that_keeps_its_lines_would_be_noticed(write, assert_streams, monkeypatch):
    stream = Lines.__iter__
    monkeypatch.setattr(Lines, "__iter__", lambda self: iter(list(stream(self))))
    with pytest.raises(AssertionError):
        assert_streams(lambda n: ConllReader(write("a X\n\n" * n)), many=40_000)
