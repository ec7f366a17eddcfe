"""How micro-batches are dealt out, and that whoever sums whole subtrees gets the bits of who sums them one by one."""

import numpy as np
import pytest

from trainer_cli.cluster.blocks import Block, blocks, dealt
from trainer_cli.tree import TreeSum


@pytest.mark.parametrize("n", range(1, 40))
@pytest.mark.parametrize("n_workers", [1, 2, 3, 4, 7])
def test_each_micro_batch_is_dealt_out_once_and_evenly(n, n_workers):
    shares = dealt(n, n_workers)
    taken = [index for share in shares for block in share for index in range(block.start, block.stop)]
    assert taken == list(range(n))
    sizes = [sum(1 << block.level for block in share) for share in shares]
    assert len(shares) == min(n, n_workers)
    assert max(sizes) - min(sizes) <= 1


def test_a_block_is_a_whole_subtree():
    for start in range(33):
        for stop in range(start + 1, 34):
            for block in blocks(start, stop):
                assert block.start % (1 << block.level) == 0
                assert start <= block.start < block.stop <= stop


def numbers(n):
    return [np.random.default_rng(index).normal(size=5).astype(np.float32) for index in range(n)]


def one_by_one(parts):
    total, out = TreeSum(), np.empty(5, np.float32)
    for part in parts:
        total.add(part.copy())
    total.finish(out)
    return out


def by_blocks(parts, n_workers, order=lambda shares: shares):
    """Each block summed alone, as a worker does, and these sums along the tree, as the driver does."""
    total, out = TreeSum(), np.empty(5, np.float32)
    for block in order([block for share in dealt(len(parts), n_workers) for block in share]):
        total.add(one_by_one(parts[block.start : block.stop]), block.level)
    total.finish(out)
    return out


@pytest.mark.parametrize("n", range(1, 40))
@pytest.mark.parametrize("n_workers", [1, 2, 3, 4, 7])
def test_the_sum_of_blocks_is_that_of_their_micro_batches_to_the_bit(n, n_workers):
    parts = numbers(n)
    assert by_blocks(parts, n_workers).tobytes() == one_by_one(parts).tobytes()


def test_another_order_of_blocks_would_be_seen():
    parts = numbers(8)
    changed = by_blocks(parts, 8, order=lambda shares: [*shares[1:], shares[0]])
    np.testing.assert_allclose(changed, one_by_one(parts), rtol=1e-5)
    assert changed.tobytes() != one_by_one(parts).tobytes()


def test_the_blocks_of_a_run_that_begins_in_the_middle_of_a_subtree():
    assert list(blocks(5, 14)) == [Block(5, 0), Block(6, 1), Block(8, 2), Block(12, 1)]
