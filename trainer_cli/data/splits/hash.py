"""Rows held out by a key, so that rows of one key stay together."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import numpy as np

from trainer_cli.data.block import Block
from trainer_cli.data.encoders.choice import chosen
from trainer_cli.data.faults import Faults
from trainer_cli.data.splits.split import DEV, TEST, TRAIN, Parts, check_shares, keys
from trainer_cli.registry import registry

EMPTY = (
    "the key of the split is empty: write one there, its own for a row of no group, or leave the row out of the data"
)


@registry.splits("hash.v1")
class HashSplit:
    """Hold out the rows whose key has a hash in the share: a key's rows stay together, in whatever order they come.

    The part of a row depends on its value in `column` and the seed alone, so rows that are added later move no other.
    The first 8 bytes of sha256(seed, key), as a fraction u of their range, decide: dev where u < `dev`, test where
    u < `dev + test`. A whole number is one key, whether it is written 7 or 7.0. The shares are of keys, and are met
    about as well as in as many throws of a die.
    """

    def __init__(self, column: str, dev: float = 0.1, test: float = 0.0):
        check_shares(dev, test)
        self.column = column
        self.dev = dev
        self.test = test

    def choose(self, columns: tuple[str, ...], target: tuple[str, ...]) -> None:
        chosen(self.column, columns, "column")

    def divide(self, blocks: Iterable[Block], seed: int) -> Parts:
        found, faults = bytearray(), Faults()
        for block in blocks:
            written = keys(block, self.column)
            if empty := [row for row, key in enumerate(written) if not key]:
                faults.add_error(block.faulty(self.column, empty, lambda row: EMPTY))
            found.extend(self.part(key, seed) for key in written)
        faults.check()
        return np.frombuffer(found, np.uint8)

    def part(self, key: str, seed: int) -> int:
        """The part of the rows with a key."""
        digest = sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
        fraction = int.from_bytes(digest[:8], "big") / 2**64
        return DEV if fraction < self.dev else TEST if fraction < self.dev + self.test else TRAIN
