"""The built-in encoders, one file each; importing this package registers them."""

from trainer_cli.data.encoders import (
    arrays,
    categories,
    columns,
    dates,
    images,
    labels,
    multilabel,
    numbers,
    tags,
    text,
    tokens,
)

__all__ = [
    "arrays",
    "categories",
    "columns",
    "dates",
    "images",
    "labels",
    "multilabel",
    "numbers",
    "tags",
    "text",
    "tokens",
]
