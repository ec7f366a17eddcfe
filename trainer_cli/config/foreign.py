"""What takes the place of keys, sections and functions that spaCy's configs have and a run's has not."""

from __future__ import annotations

from collections.abc import Mapping

ABSENT = "leave it out"
CONVERT = "trainer convert-config writes such a config anew"

# Keys of the sections that both have, and sections of spaCy's alone: what is said of them here.
KEYS: Mapping[str, str] = {
    "system.gpu_allocator": f"Memory of a GPU is left to the library that uses it: {ABSENT}",
    "training.train_corpus": "What is trained on has the section [data.train]",
    "training.dev_corpus": "What is scored on has the section [data.dev]",
    "training.seed": "It belongs into [system]",
    "training.gpu_allocator": f"Memory of a GPU is left to the library that uses it: {ABSENT}",
    "training.frozen_components": f"A run trains one model as a whole: {ABSENT}",
    "training.annotating_components": f"No model is fed by another one: {ABSENT}",
    "training.before_to_disk": f"A model is saved as it is: {ABSENT}",
    "training.before_update": f"Nothing is called before an update: {ABSENT}, or write a schedule or layer of your own",
    "training.optimizer": "It is a section of its own: [optimizer]",
    "training.logger": "A logger is a section [loggers.NAME]; metrics.jsonl and the table of scores are always there",
    "corpora": f'Data have sections [data.train] and [data.dev] with @readers = "docbin.v1"; {CONVERT}',
    "nlp": f"There is no pipeline: [features], [target] and [model] are what is trained; {CONVERT}",
    "components": f"A component is [features], [target], [model] and [loss] here; {CONVERT}",
    "initialize": "Sizes and labels are found in the data; [training] init_from gives first numbers",
    "pretraining": "There is no pretraining; [training] init_from begins with numbers of another run",
}

# Functions of a kind that both have: what is written in their place.
FUNCTIONS: Mapping[str, str] = {
    "spacy.Corpus.v1": "Write docbin.v1, which reads the same files",
    "spacy.JsonlCorpus.v1": "Write jsonl.v1",
    "spacy.PlainTextCorpus.v1": "Write csv.v1 or jsonl.v1",
    "spacy.batch_by_words.v1": "Write words.v1, which has size and tolerance",
    "spacy.batch_by_sequence.v1": "Leave [training.batcher] out: batch_size is a number of rows",
    "spacy.batch_by_padded.v1": "Write by_length.v1, which puts rows of one length together",
    "spacy.ConsoleLogger.v1": "Leave the section out: the table of scores is always shown",
    "spacy.ConsoleLogger.v2": "Leave the section out: the table of scores is always shown",
    "spacy.ConsoleLogger.v3": "Leave the section out: the table of scores is always shown",
}

# Scores: the metric that gives it, and what it is called where the metric's section is.
SCORES: Mapping[str, str] = {
    "cats_score": "f_macro of [metrics.f] with f_score.v1 (of several labels a row: of multilabel_f.v1)",
    "cats_macro_f": "f_macro of [metrics.f] with f_score.v1 (of several labels a row: of multilabel_f.v1)",
    "cats_micro_f": "f_micro of [metrics.f] with f_score.v1 (of several labels a row: of multilabel_f.v1)",
    "cats_micro_p": "precision_micro of [metrics.precision] with precision.v1",
    "cats_micro_r": "recall_micro of [metrics.recall] with recall.v1",
    "cats_macro_p": "precision_macro of [metrics.precision] with precision.v1",
    "cats_macro_r": "recall_macro of [metrics.recall] with recall.v1",
    "cats_macro_auc": "auc of [metrics.auc] with auc.v1",
    "tag_acc": "accuracy of [metrics.accuracy] with accuracy.v1",
    "pos_acc": "accuracy of [metrics.accuracy] with accuracy.v1",
    "tag_micro_f": "accuracy of [metrics.accuracy] with accuracy.v1",
    "ents_f": "spans_f_score of [metrics.spans] with spans.v1",
    "ents_p": "spans_precision of [metrics.spans] with spans.v1",
    "ents_r": "spans_recall of [metrics.spans] with spans.v1",
}


def of_key(dotted: str) -> str:
    """What is said of a key or section, or an empty text.

    >>> of_key("training.dev_corpus"), of_key("training.patience")
    ('What is scored on has the section [data.dev]', '')
    """
    return KEYS.get(dotted, "")


def of_function(name: object) -> str:
    """What is said of a function's name, or an empty text.

    >>> of_function("spacy.JsonlCorpus.v1"), of_function("Relu.v1")
    ('Write jsonl.v1', '')
    """
    return FUNCTIONS.get(name, "") if isinstance(name, str) else ""


def of_score(name: str) -> str:
    """What is said of a score's name, or an empty text.

    >>> of_score("ents_f")
    'Here it is spans_f_score of [metrics.spans] with spans.v1'
    """
    return f"Here it is {SCORES[name]}" if name in SCORES else ""
