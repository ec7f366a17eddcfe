"""What takes the place of keys, sections and functions that spaCy's configs have and a run's has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ABSENT = "leave it out"
ANEW = "; trainer convert-config writes such a config anew"

# The sections of which each config of spaCy's has at least one, and those of ours that it never has.
MARKS = ("nlp", "components")
OURS = ("data", "features", "target", "model")

NO_VECTORS = "Words begin with drawn vectors; of texts, text_cnn.v1 takes vectors = FILE"
NO_PIPELINE = "There is no pipeline: [features], [target] and [model] are what is trained"

# Keys of the sections that both have, and sections of spaCy's alone: what is said of them here, and of all that is in
# them and has no line of its own. A star stands for any name.
KEYS: Mapping[str, str] = {
    "paths.vectors": NO_VECTORS,
    "paths.init_tok2vec": "There is no pretraining; [training] init_from begins with numbers of another run",
    "system.gpu_allocator": f"Memory of a GPU is left to the library that uses it: {ABSENT}",
    "training.train_corpus": "What is trained on has the section [data.train]",
    "training.dev_corpus": "What is scored on has the section [data.dev]",
    "training.seed": "It belongs into [system]",
    "training.gpu_allocator": f"Memory of a GPU is left to the library that uses it: {ABSENT}",
    "training.frozen_components": f"A run trains one model as a whole: {ABSENT}",
    "training.annotating_components": f"No model is fed by another one: {ABSENT}",
    "training.before_to_disk": f"A model is saved as it is: {ABSENT}",
    "training.before_update": f"Nothing is called before an update: {ABSENT}, or write a schedule or layer of your own",
    "training.score_weights": "null is no weight: leave the score out",
    "training.optimizer": "It is a section of its own: [optimizer]",
    "training.logger": "A logger is a section [loggers.NAME]; metrics.jsonl and the table of scores are always there",
    "training.batcher.discard_oversize": f"A row that is too long stands alone in its batch: {ABSENT}",
    "training.batcher.get_length": f"words.v1 counts the words of a row by itself: {ABSENT}",
    "training.batcher.buffer": f"by_length.v1 has pool and run for that: {ABSENT}",
    "corpora": f'Data have sections [data.train] and [data.dev] with @readers = "docbin.v1"{ANEW}',
    "corpora.*.max_length": "text.v1 has max_length, in words",
    "corpora.*.gold_preproc": f"Documents have the tokens of the file: {ABSENT}",
    "corpora.*.limit": "Readers have limit, of which 0 is left out",
    "corpora.*.augmenter": f"Texts stay as they are: {ABSENT}",
    "nlp": f"{NO_PIPELINE}{ANEW}",
    "nlp.lang": "Words are parted by rules of no one language; a DocBin has tokens of its own",
    "nlp.batch_size": "It is eval_batch_size in [training]",
    "nlp.disabled": f"A run trains one model as a whole: {ABSENT}",
    "nlp.before_creation": f"Nothing is called when a model is made: {ABSENT}",
    "nlp.after_creation": f"Nothing is called when a model is made: {ABSENT}",
    "nlp.after_pipeline_creation": f"Nothing is called when a model is made: {ABSENT}",
    "nlp.tokenizer": "A DocBin has tokens of its own; text.v1 parts texts",
    "nlp.vectors": NO_VECTORS,
    "components": f"A component is [features], [target], [model] and [loss] here{ANEW}",
    "components.*.factory": "What is predicted tells [target]: labels.v1, multilabel.v1 or tags.v1",
    "components.*.model": f"It is the section [model]: text_bow.v1, text_cnn.v1 or tagger.v1{ANEW}",
    "components.*.scorer": "[metrics] says what is scored",
    "components.*.threshold": 'Labels are taken from 0.5 on; threshold = "best" in [metrics.f] finds it',
    "components.*.overwrite": f"predict writes its tags beside those of the data: {ABSENT}",
    "initialize": "Sizes and labels are found in the data; [training] init_from gives first numbers",
    "initialize.vectors": NO_VECTORS,
    "initialize.init_tok2vec": "There is no pretraining; [training] init_from begins with numbers of another run",
    "initialize.vocab_data": f"Words are hashed, and no table of them is loaded: {ABSENT}",
    "initialize.lookups": f"Words are hashed, and no table of them is loaded: {ABSENT}",
    "initialize.before_init": f"Nothing is called when a model is made: {ABSENT}",
    "initialize.after_init": f"Nothing is called when a model is made: {ABSENT}",
    "pretraining": "There is no pretraining; [training] init_from begins with numbers of another run",
}

# Functions of a kind that both have: what is written in their place.
FUNCTIONS: Mapping[str, str] = {
    "spacy.Corpus.v1": "Write docbin.v1, which reads the same files",
    "spacy.JsonlCorpus.v1": "Write jsonl.v1",
    "spacy.PlainTextCorpus.v1": "Write csv.v1 or jsonl.v1",
    "spacy.batch_by_words.v1": "Write words.v1, which has size and tolerance alone",
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


def is_spacys(config: Mapping[str, object]) -> bool:
    """Whether a config is one of spaCy's, and not ours with a section of spaCy's.

    >>> is_spacys({"nlp": {}, "training": {}}), is_spacys({"nlp": {}, "model": {}}), is_spacys({"training": {}})
    (True, False, False)
    """
    return any(name in config for name in MARKS) and not any(name in config for name in OURS)


def of_key(dotted: str) -> str:
    """What is said of a key or section itself, or an empty text.

    >>> of_key("training.dev_corpus"), of_key("training.patience"), of_key("components.ner.scorer")
    ('What is scored on has the section [data.dev]', '', '[metrics] says what is scored')
    """
    parts = dotted.split(".")
    fitting = (sentence for key, sentence in KEYS.items() if fits(key.split("."), parts))
    return next(fitting, "")


def around(dotted: str) -> str:
    """What is said of a key, or of the nearest section around it; an empty text where nothing is.

    >>> around("components.ner.scorer.@scorers"), around("training.patience")
    ('[metrics] says what is scored', '')
    """
    parts = dotted.split(".")
    return next((said for cut in range(len(parts), 0, -1) if (said := of_key(".".join(parts[:cut])))), "")


def fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    return len(pattern) == len(parts) and all(a in ("*", b) for a, b in zip(pattern, parts, strict=True))


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
