"""Memory that the processes of one machine share, and that is gone with the process that made it."""

from __future__ import annotations

import mmap
import os
import secrets
from dataclasses import dataclass
from typing import Self

import numpy as np

from trainer_cli.arrays import Array

ALIGNMENT = 64
N_TOKEN = 16


@dataclass(frozen=True)
class Handle:
    """By which another process of the same user on the same machine finds the memory; the token tells that it did."""

    pid: int
    descriptor: int
    n_bytes: int
    token: bytes


class SharedMemory:
    """`n_bytes` of memory without a name (memfd_create(2), Linux): no file is left behind, however its maker ends.

    Others map it through the maker's descriptor in /proc, which is open as long as its object is there. OSError: this
    system has none, or the maker is gone.
    """

    def __init__(self, descriptor: int, handle: Handle):
        self.handle = handle
        self._descriptor = descriptor if handle.pid == os.getpid() else -1
        self._memory = mmap.mmap(descriptor, ALIGNMENT + handle.n_bytes)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    @classmethod
    def make(cls, n_bytes: int) -> Self:
        descriptor = os.memfd_create("trainer")
        os.ftruncate(descriptor, ALIGNMENT + n_bytes)
        made = cls(descriptor, Handle(os.getpid(), descriptor, n_bytes, secrets.token_bytes(N_TOKEN)))
        made._memory[:N_TOKEN] = made.handle.token
        return made

    @classmethod
    def open(cls, handle: Handle) -> Self:
        descriptor = os.open(f"/proc/{handle.pid}/fd/{handle.descriptor}", os.O_RDWR)
        try:
            if os.fstat(descriptor).st_size != ALIGNMENT + handle.n_bytes:
                raise OSError("this is other memory")
            found = cls(descriptor, handle)
        finally:
            os.close(descriptor)
        if found._memory[:N_TOKEN] != handle.token:
            raise OSError("this is other memory")
        return found

    def array(self, dtype: np.dtype[np.generic], n: int, index: int = 0) -> Array:
        """The `index`-th of arrays of `n` numbers that lie one after the other."""
        start = ALIGNMENT + index * aligned(n * dtype.itemsize)
        return np.frombuffer(self._memory, dtype, n, start)


def can_share() -> bool:
    """Whether this system has such memory."""
    return hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd")


def aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT
