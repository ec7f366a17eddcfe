import pytest

from trainer_cli.profile.counting import Counting, step_in_any_order


def step_of(*blocks):
    counting = Counting()
    for block in blocks:
        counting.add(block)
    return counting.step


@pytest.mark.parametrize(
    ("blocks", "step"),
    [
        ([["1", "2"], ["3", "4"]], 1),
        ([["10", " 12 "], [], ["14"]], 2),
        ([[10, 12], [14]], 2),
        ([["5"], ["6"]], None),  # of one value a block no step can be told
        ([["1", "2"], ["7", "8"]], 1),  # blocks between them were not looked at
        ([["1", "2"], ["7", "9"]], None),
        ([["1", "2"], ["2", "3"]], None),
        ([["2", "1", "0"]], None),
        ([["1", "1", "1"]], None),
        ([["1", "2", "3", "5"]], None),
        ([["1", "02", "3"]], None),
        ([["1", "", "3"]], None),
        ([["1.0", "2.0"]], None),
        ([["a", "b"], ["1", "2"]], None),
        ([], None),
    ],
)
def test_the_step_is_that_of_all_rows(blocks, step):
    assert step_of(*blocks) == step


def test_numbers_in_another_order_have_the_same_step():
    assert step_in_any_order(map(str, [9, 3, 5, 7])) == 2
    assert step_in_any_order(map(str, [9, 3, 5, 8])) is None
