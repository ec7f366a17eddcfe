"""Predictions as a DocBin: each record a document of spaCy's, with the categories, tags or entities predicted of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer_cli.data.block import Block, is_texts, is_tokens
from trainer_cli.data.encoders.schemes import to_bio
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import required
from trainer_cli.predictions import Predicted
from trainer_cli.trained import Trained

FORMAT, SUFFIX = "docbin", ".spacy"
SPAN = re.compile(r"O|[BILUES]-.+", re.DOTALL)
FIRST_OR_NOT = {"B": "B", "U": "B", "S": "B", "I": "I", "L": "I", "E": "I", "O": "O"}
# Tags of spans become entities; of others those of this column parts of speech.
POS = "pos"


def checked(trained: Trained) -> None:
    """ArgumentError: a DocBin has no place for what this model predicts, or spaCy is not installed."""
    required("spacy", f"--format {FORMAT}")
    if not getattr(trained.target[1], "names", ()):
        raise ArgumentError(f"--format {FORMAT} has categories, tags or entities; this model gives each row a number")


def n_labels(trained: Trained) -> int:
    """How many labels of each record are written, with their probabilities: all, and of tags the one."""
    return 1 if trained.target[0] == "tags.v1" else len(trained.target[1].names)  # type: ignore[attr-defined]


def to_bytes(found: Iterator[Predicted], trained: Trained) -> bytes:
    """The documents of all records, in order.

    A record read from a DocBin keeps its text, tokens, tags, entities and categories, but for what is predicted; one
    of tokens has these; a text is parted into tokens by spaCy's rules that are of no one language. Of labels each
    document has the probability of every one.
    """
    tokens = importlib.import_module("spacy.tokens")
    nlp = importlib.import_module("spacy").blank("xx")
    documents, role = tokens.DocBin(), role_of(trained)
    for part in found:
        columns = columns_of(part.block, trained)
        for row in range(len(part.block)):
            record = {name: values[row] for name, values in columns.items()}
            documents.add(document(tokens.Doc, nlp, record, role, part, row))
    data: bytes = documents.to_bytes()
    return data


def columns_of(block: Block, trained: Trained) -> dict[str, Any]:
    """The columns of a block that a document is made of: `text`, `token`, `tag`, `pos` and `ner`, those that are there.

    The texts or tokens that the model read stand for a `text` or `token` of another name.
    """
    found: dict[str, Any] = {name: block.columns[name] for name in ("text", "token") if name in block.columns}
    for name in trained.features[1].reads:
        values = block.columns.get(name)
        if is_tokens(values):
            found.setdefault("token", values)
        elif is_texts(values):
            found.setdefault("text", values)
    if not found:
        raise ArgumentError(f"--format {FORMAT} has texts or tokens, which these data have not: take jsonl")
    others = {name: block.columns[name] for name in ("tag", POS, "ner") if is_tokens(block.columns.get(name))}
    return found | others


def role_of(trained: Trained) -> str:
    """What predicted tags are in a document: its entities, the parts of speech or the tags of its tokens."""
    target = trained.target[1]
    if getattr(target, "found", "plain") != "plain":
        return "ner"
    return POS if target.reads[:1] in ((POS,), ("upos",)) and fits(POS, target.names) else "tag"  # type: ignore[attr-defined]


def fits(name: str, values: Sequence[str]) -> bool:
    """Whether spaCy takes these as parts of speech, or as tags of entities."""
    if name == "ner":
        return all(SPAN.fullmatch(value) for value in values)
    return name != POS or importlib.import_module("spacy.parts_of_speech").IDS.keys() >= set(values)


def document(kind: Any, nlp: Any, record: Mapping[str, Any], role: str, part: Predicted, row: int) -> Any:
    """One record as a Doc, with what is predicted."""
    words = record["token"] if "token" in record else [token.text for token in nlp.make_doc(record["text"])]
    spaces = spaces_of(words, record["text"]) if "text" in record else None
    given = {name: record[name] for name in ("tag", POS, "ner") if name in record and fits(name, record[name])}
    if part.are_tags:
        given[role] = part.values[row]
    if any(len(values) != len(words) for values in given.values()):
        raise ArgumentError(f"--format {FORMAT}: {part.block.place(row)[0]}: the model's words are not those of spaCy")
    doc = kind(
        nlp.vocab,
        words=words,
        spaces=spaces,
        tags=given.get("tag"),
        pos=given.get(POS),
        ents=iob(given["ner"]) if "ner" in given else None,
    )
    doc.cats = dict(part.block.categories[row]) if part.block.categories is not None else {}
    if not part.are_tags:
        doc.cats |= categories(part, row)
    return doc


def categories(part: Predicted, row: int) -> dict[str, float]:
    """The probability of every label."""
    if part.ranked is not None:
        return dict(sorted(part.ranked[row]))
    scores = part.scores or ()
    return {part.values[row]: scores[row]}


def spaces_of(words: Sequence[str], text: str) -> list[bool] | None:
    """Whether a space follows each word in the text; None where the words are not those of the text.

    >>> spaces_of(["I", "'m", "ok"], "I'm ok"), spaces_of(["a", "b"], "b a")
    ([False, True, False], None)
    """
    found, at = [], 0
    for word in words:
        if not text.startswith(word, at):
            return None
        at += len(word)
        found.append(text.startswith(" ", at))
        at += found[-1]
    return found if at == len(text) else None


def iob(tags: Sequence[str]) -> list[str]:
    """Tags of spans as spaCy's Doc takes them: each entity begins with a B.

    >>> iob(["U-A", "U-A", "B-B", "L-B"]), iob(["I-A", "I-A"]), iob(["S-A", "O", "B-B", "E-B"])
    (['B-A', 'B-A', 'B-B', 'I-B'], ['B-A', 'I-A'], ['B-A', 'O', 'B-B', 'I-B'])
    """
    return to_bio([f"{FIRST_OR_NOT[tag[0]]}{tag[1:]}" for tag in tags])
