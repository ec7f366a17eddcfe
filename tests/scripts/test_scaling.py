"""The model of many workers, by hand."""

import pytest
from benchmark.scaling import Cost, cost, predicted_table, winners

COST = Cost(compute=80.0, update=2.0, first=3.0, more=1.0, megabytes=1.0)


def test_one_node_is_one_process():
    assert COST.step(1, 10) == 82
    assert COST.speed_up(1, 10) == 1


def test_a_step_of_four_nodes_by_hand():
    """80 / 4 + 2 + 3 + 3 x 1, and 2 x 3 megabytes of 8,388,608 bits at 10 gigabits a second."""
    line = 6 * 8_388_608 / 10e9 * 1e3
    assert COST.step(4, 10) == pytest.approx(20 + 2 + 3 + 3 + line)
    assert COST.speed_up(4, 10) == pytest.approx(82 / (28 + line))


def test_a_slower_line_and_a_larger_network_never_pay_more():
    for n in (2, 8, 64):
        assert COST.speed_up(n, 1) < COST.speed_up(n, 10) < COST.speed_up(n, 100)
        assert COST._replace(megabytes=10).speed_up(n, 10) < COST.speed_up(n, 10)


def line(**changed):
    overheads = {"1 worker, object store": 4.0, "2 workers, object store": 6.0}
    found = {"width": 8, "batch_size": 128, "megabytes": 1.0, "gradient_ms": 80.0, "update_ms": 82.0}
    return found | {"overhead_ms": overheads, "speed": {"2 workers": [1.2, 0.9, 1.1]}} | changed


def test_the_cost_of_a_measured_line():
    assert cost(line()) == Cost(80.0, 2.0, 4.0, 2.0, 1.0)


def test_the_best_number_of_nodes_is_set_in_bold():
    row = predicted_table([line()]).splitlines()[3]  # 10 Gbit/s
    ups = [cost(line()).speed_up(n, 10) for n in (1, 2, 4, 8, 16, 32, 64)]
    assert row.count("**") == 2
    assert f"**{max(ups):.2f}**" in row


def test_two_workers_win_by_the_median_of_the_rounds():
    lost = line(speed={"2 workers": [0.9, 0.8, 1.1]})
    assert winners([lost]) == "Two workers were faster than one process nowhere."
    larger = [line(megabytes=13.7, batch_size=size) for size in (128, 1024)]
    found = winners([line(), lost, *larger])
    assert found.endswith("process at 1.0 MB with batches of 128, at 13.7 MB with batches of 128 and 1,024.")
