"""scikit-learn for a mixed table: numbers filled in and standardised, categories one-hot, logistic regression.

The penalty is chosen on the dev rows.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tables
from answer import Question, answer, best
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

C = (0.1, 1.0, 10.0)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy of the best of three."""
    target = question.options.target
    X, y = tables.read(question.train, target)
    dev, test = tables.read(question.dev, target), tables.read(question.test, target)

    def fit(strength: float) -> Any:
        columns = make_column_transformer(
            (
                make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
                make_column_selector(dtype_include="number"),
            ),
            (
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                make_column_selector(dtype_exclude="number"),
            ),
        )
        regression = LogisticRegression(C=strength, max_iter=1000, random_state=question.seed)
        return make_pipeline(columns, regression).fit(X, y)

    chosen, model = best(
        ((f"C {strength:g}", partial(fit, strength)) for strength in C), lambda model: float(model.score(*dev))
    )
    return {"accuracy": float(model.score(*test)), "chosen": chosen}


if __name__ == "__main__":
    answer(measure, ["scikit-learn", "numpy", "pandas"], target=None)
