"""scikit-learn's ridge regression on TF-IDF of words and character n-grams; the penalty is chosen on the dev rows."""

from __future__ import annotations

from functools import partial
from typing import Any

import texts
from answer import Question, answer, best
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error

ALPHA = (0.3, 1.0, 3.0, 10.0)


def measure(question: Question) -> dict[str, Any]:
    """RMSE and R2 of the best of four."""
    train, y = texts.read(question.train, "rating")
    dev, dev_y = texts.read(question.dev, "rating")
    test, test_y = texts.read(question.test, "rating")
    encoder = texts.tf_idf()
    X, dev_X, test_X = encoder.fit_transform(train), encoder.transform(dev), encoder.transform(test)

    def fit(alpha: float) -> Any:
        return Ridge(alpha=alpha, random_state=question.seed).fit(X, y)

    chosen, model = best(
        ((f"alpha {alpha:g}", partial(fit, alpha)) for alpha in ALPHA),
        lambda model: -float(root_mean_squared_error(dev_y, model.predict(dev_X))),
    )
    guesses = model.predict(test_X)
    return {
        "rmse": float(root_mean_squared_error(test_y, guesses)),
        "r2": float(r2_score(test_y, guesses)),
        "chosen": chosen,
    }


if __name__ == "__main__":
    answer(measure, ["scikit-learn", "numpy"])
