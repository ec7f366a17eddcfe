"""scikit-learn's MLPClassifier on standardised columns: width, depth and penalty chosen on the dev rows."""

from __future__ import annotations

import itertools
import warnings
from functools import partial
from typing import Any

import tables
from answer import Question, answer, best
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HIDDEN = ((128,), (256,), (256, 128))
ALPHA = (1e-4, 1e-2)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy of the best of six."""
    target = question.options.target
    X, y = tables.read(question.train, target)
    dev, test = tables.read(question.dev, target), tables.read(question.test, target)

    def fit(hidden: tuple[int, ...], alpha: float) -> Any:
        mlp = MLPClassifier(
            hidden, alpha=alpha, random_state=question.seed, max_iter=int(question.options.epochs), n_iter_no_change=10
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return make_pipeline(StandardScaler(), mlp).fit(X, y)

    settings = itertools.product(HIDDEN, ALPHA)
    chosen, model = best(
        ((f"hidden {hidden}, alpha {alpha:g}", partial(fit, hidden, alpha)) for hidden, alpha in settings),
        lambda model: float(model.score(*dev)),
    )
    return {"accuracy": float(model.score(*test)), "chosen": chosen}


if __name__ == "__main__":
    answer(measure, ["scikit-learn", "numpy"], target=None, epochs=200)
