import numpy as np
import pytest

from trainer_cli.tree import TreeSum


def halves(parts):
    """The promised tree, written as its definition: split at the largest power of two below n."""
    if len(parts) == 1:
        return parts[0]
    split = 1 << (len(parts) - 1).bit_length() - 1
    return halves(parts[:split]) + halves(parts[split:])


def summed(parts):
    total, out = TreeSum(), np.full_like(parts[0], np.nan)
    for part in parts:
        total.add(part.copy())
    total.finish(out)
    return out


def random_parts(n):
    rng = np.random.default_rng(n)
    return [(rng.normal(size=50) * 10.0 ** rng.integers(-6, 6)).astype(np.float32) for _ in range(n)]


@pytest.mark.parametrize("n", range(1, 34))
def test_sum_has_the_bits_of_the_tree(n):
    parts = random_parts(n)
    assert summed(parts).tobytes() == halves(parts).tobytes()


@pytest.mark.parametrize("n", [2, 3, 4, 6, 7, 8, 13])
def test_subtrees_summed_elsewhere_give_the_same_bits(n):
    parts = random_parts(n)
    split = 1 << (n - 1).bit_length() - 1
    assert (summed(parts[:split]) + summed(parts[split:])).tobytes() == summed(parts).tobytes()


def test_a_sum_from_left_to_right_has_other_bits():
    parts = random_parts(13)
    in_order = parts[0].copy()
    for part in parts[1:]:
        in_order += part
    assert in_order.tobytes() != summed(parts).tobytes()


def test_holds_as_many_arrays_as_the_tree_is_deep_and_starts_anew():
    total, out = TreeSum(), np.zeros(3, np.float32)
    for repeat in range(3):
        for part in range(100):
            total.add(np.full(3, part + repeat, np.float32))
        total.finish(out)
        assert out.tolist() == [4950 + 100 * repeat] * 3
    assert len(total._kept) <= 8


@pytest.mark.parametrize("n", range(1, 34))
def test_arrays_that_are_lent_give_the_same_bits_and_are_free_afterwards(n):
    parts = random_parts(n)
    total, out = TreeSum(), np.empty_like(parts[0])
    for _ in range(2):
        lent = [part.copy() for part in parts]
        for array in lent:
            total.lend(array)
        total.finish(out)
        for array in lent:
            array.fill(np.nan)
        assert out.tobytes() == halves(parts).tobytes()


def test_an_array_that_is_lent_and_written_to_before_the_end_is_seen():
    parts = random_parts(3)
    total, out = TreeSum(), np.empty_like(parts[0])
    for array in parts:
        total.lend(array)
    parts[2].fill(0)
    total.finish(out)
    assert out.tobytes() != halves(random_parts(3)).tobytes()
