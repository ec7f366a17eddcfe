"""A file without a name for numbers that do not fit in memory: the system takes it away with whoever holds it."""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from trainer_cli.errors import StorageError

Floats = NDArray[np.float64]

NUMBER_BYTES = 8


class Scratch:
    """Float64 numbers, written at the end and read anywhere. It lies where TMPDIR says.

    StorageError: the file cannot be made, written or read.
    """

    def __init__(self) -> None:
        self.n = 0
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, values: Floats) -> int:
        """Write the numbers in C order; the place of the first one, for `read`."""
        start = self.n
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="trainer-")  # noqa: SIM115 - it lives as long as this object
            self._file.seek(start * NUMBER_BYTES)
            self._file.write(np.ascontiguousarray(values).data)
            self._file.flush()
        except OSError as err:
            raise _failed("written", err) from err
        self.n += values.size
        return start

    def read(self, start: int, n: int) -> Floats:
        """The `n` numbers from `start` on."""
        assert self._file is not None
        assert 0 <= start <= start + n <= self.n
        try:
            self._file.seek(start * NUMBER_BYTES)
            found = np.frombuffer(self._file.read(n * NUMBER_BYTES), np.float64)
            if len(found) < n:
                raise OSError("the file is shorter than what was written")
        except OSError as err:
            raise _failed("read", err) from err
        return found


def _failed(done: str, err: OSError) -> StorageError:
    rule = f"the rows that a metric keeps could not be {done}: {err.strerror or err}"
    return StorageError(f"{tempfile.gettempdir()}: {rule}; set TMPDIR to a folder with room")
