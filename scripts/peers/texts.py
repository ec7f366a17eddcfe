"""Files of JSON lines, and what scikit-learn makes of their texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union


def read(path: Path, target: str) -> tuple[list[str], list[Any]]:
    """The texts, and the target of each."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [row["text"] for row in rows], [row[target] for row in rows]


def tf_idf() -> Any:
    """TF-IDF of words and pairs of words beside that of 2 to 5 characters within words."""
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
