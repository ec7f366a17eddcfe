"""What a document is made of, as far as that needs no spaCy."""

from types import SimpleNamespace

from trainer_cli.data.block import Block
from trainer_cli.spacy_documents import columns_of


def trained_on(*reads):
    return SimpleNamespace(features=("", SimpleNamespace(reads=reads)))


def test_tokens_that_the_data_call_so_are_the_documents_whatever_the_model_reads():
    block = Block({"token": [["New", "York"]], "stem": [["new", "york"]], "ner": [["B-A", "L-A"]]})
    assert columns_of(block, trained_on("stem")) == {"token": [["New", "York"]], "ner": [["B-A", "L-A"]]}


def test_a_text_that_the_data_call_so_is_the_documents_whatever_the_model_reads():
    block = Block({"text": ["New York"], "title": ["NY"]})
    assert columns_of(block, trained_on("title")) == {"text": ["New York"]}


def test_what_the_model_reads_stands_for_a_text_and_tokens_of_other_names():
    block = Block({"title": ["New York"], "stem": [["new", "york"]], "lemma": [["n", "y"]]})
    assert columns_of(block, trained_on("title", "stem", "lemma")) == {"text": ["New York"], "token": [["new", "york"]]}
