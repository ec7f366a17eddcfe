"""scikit-learn's logistic regression on TF-IDF of words and character n-grams; the penalty is chosen on dev rows."""

from __future__ import annotations

from functools import partial
from typing import Any

import texts
from answer import Question, answer, best
from sklearn.linear_model import LogisticRegression

C = (3.0, 10.0, 30.0, 100.0)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy of the best of four."""
    train, y = texts.read(question.train, "label")
    dev, dev_y = texts.read(question.dev, "label")
    test, test_y = texts.read(question.test, "label")
    encoder = texts.tf_idf()
    X, dev_X, test_X = encoder.fit_transform(train), encoder.transform(dev), encoder.transform(test)

    def fit(strength: float) -> Any:
        return LogisticRegression(C=strength, max_iter=1000, random_state=question.seed).fit(X, y)

    chosen, model = best(
        ((f"C {strength:g}", partial(fit, strength)) for strength in C),
        lambda model: float(model.score(dev_X, dev_y)),
    )
    return {"accuracy": float(model.score(test_X, test_y)), "chosen": chosen}


if __name__ == "__main__":
    answer(measure, ["scikit-learn", "numpy"])
