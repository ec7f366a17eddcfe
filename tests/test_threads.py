import pytest

from trainer_cli.threads import cores, resolve_threads


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
