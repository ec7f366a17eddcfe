"""What every trial needs, imported once: processes of trials are copies of the one that has imported this."""

from __future__ import annotations

import contextlib

import trainer_cli.sweep.worker

with contextlib.suppress(ImportError):
    import trainer_cli.ops.numba_ops  # noqa: F401
