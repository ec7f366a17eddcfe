import numpy as np
import pytest
from threadpoolctl import threadpool_info

from trainer_cli.layers import Conv2D, Flatten, Linear, chain
from trainer_cli.threads import computing, cores, resolve_threads


@pytest.mark.parametrize(
    ("asked", "product", "n_cores", "threads"),
    [
        ("auto", 0, 2, 1),
        ("auto", 128 * 784 * 256, 2, 1),
        ("auto", 199_999_999, 8, 1),
        ("auto", 200_000_000, 8, 2),
        ("auto", 10**12, 8, 8),
        (3, 0, 2, 3),
    ],
)
def test_threads_are_a_rule_on_the_largest_product_and_the_cores(asked, product, n_cores, threads):
    assert resolve_threads(asked, product, n_cores) == threads


def test_there_is_at_least_one_core():
    assert cores() >= 1


def test_convolutions_have_the_threads_and_their_products_one_each():
    images = np.zeros((1, 4, 4, 1), np.float32)
    dense, convolving = Linear(2).initialize(images[:, :, 0, 0]), chain(Conv2D(2), Flatten()).initialize(images)
    with computing(3, convolving):
        assert (convolving.ops.workers.n, blas_threads()) == (3, {1})
    with computing(2, dense):
        assert (dense.ops.workers.n, blas_threads()) == (1, {2})


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
