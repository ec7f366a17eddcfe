"""scikit-learn's HistGradientBoostingClassifier: rate and size of the trees chosen on the dev rows."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import tables
from answer import Question, answer, best
from sklearn.ensemble import HistGradientBoostingClassifier

RATES = (0.05, 0.1)
LEAVES = (15, 31)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy of the best of four, each of up to 150 rounds and stopped early by rows of its own."""
    target = question.options.target
    X, y = tables.read(question.train, target)
    dev, test = tables.read(question.dev, target), tables.read(question.test, target)

    def fit(rate: float, leaves: int) -> Any:
        return HistGradientBoostingClassifier(
            learning_rate=rate, max_leaf_nodes=leaves, max_iter=150, early_stopping=True, random_state=question.seed
        ).fit(X, y)

    settings = itertools.product(RATES, LEAVES)
    chosen, model = best(
        ((f"rate {rate:g}, {leaves} leaves", partial(fit, rate, leaves)) for rate, leaves in settings),
        lambda model: float(model.score(*dev)),
    )
    return {"accuracy": float(model.score(*test)), "chosen": chosen}


if __name__ == "__main__":
    answer(measure, ["scikit-learn", "numpy"], target=None)
