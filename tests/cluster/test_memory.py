"""Memory that processes share."""

import subprocess
import sys

import numpy as np
import pytest

from trainer_cli.cluster.memory import SharedMemory, can_share

pytestmark = pytest.mark.skipif(not can_share(), reason="this system has no such memory")

CHILD = """
import sys
import numpy as np
from trainer_cli.cluster.memory import Handle, SharedMemory
handle = Handle(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4]))
array = SharedMemory.open(handle).array(np.dtype(np.float32), 5, 1)
array *= 2
"""


def test_another_process_writes_to_it():
    memory = SharedMemory.make(1000)
    array = memory.array(np.dtype(np.float32), 5, 1)
    array[:] = [1, 2, 3, 4, 5]
    handle = memory.handle
    words = [str(handle.pid), str(handle.descriptor), str(handle.n_bytes), handle.token.hex()]
    subprocess.run([sys.executable, "-c", CHILD, *words], check=True)
    assert array.tolist() == [2, 4, 6, 8, 10]


def test_arrays_do_not_overlap():
    memory = SharedMemory.make(2 * 64)
    first, second = (memory.array(np.dtype(np.float32), 5, index) for index in (0, 1))
    first[:], second[:] = 1, 2
    assert first.tolist() == [1] * 5


def test_other_memory_under_the_same_number_is_refused():
    memory = SharedMemory.make(100)
    stale = memory.handle
    del memory
    other = SharedMemory.make(100)
    assert other.handle.descriptor == stale.descriptor
    with pytest.raises(OSError, match="other memory"):
        SharedMemory.open(stale)
