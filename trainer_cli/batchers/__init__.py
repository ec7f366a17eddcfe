"""How a pass over the data is cut into batches, one way a file; importing this package registers them."""

from trainer_cli.batchers import by_length, rows, words

__all__ = ["by_length", "rows", "words"]
