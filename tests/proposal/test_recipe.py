import pytest

from trainer_cli.proposal.recipe import recipe, tag_recipe, text_recipe

SIZES = [1, 10, 100, 999, 1_000, 5_000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000]


@pytest.mark.parametrize("optimize", ["accuracy", "speed"])
@pytest.mark.parametrize("n_rows", SIZES)
@pytest.mark.parametrize("kind", [recipe, text_recipe, tag_recipe])
def test_the_parts_of_a_recipe_fit_each_other(kind, n_rows, optimize):
    made = kind(n_rows, optimize)
    assert 1 <= made.eval_frequency < made.patience < made.max_steps
    assert made.n_rows >= n_rows  # every row is seen


def test_more_rows_take_fewer_passes_and_larger_batches():
    made = [recipe(n_rows) for n_rows in SIZES if n_rows >= 1_000]
    passes = [each.n_rows / each.n_training_rows for each in made]
    assert passes == sorted(passes, reverse=True)
    assert [each.batch_size for each in made] == sorted(each.batch_size for each in made)


def test_fifty_thousand_rows_are_a_matter_of_seconds():
    """A row of ten columns takes about 10 microseconds on two cores: the bound is a minute with room to spare."""
    assert recipe(50_000).n_rows < 1_000_000
    assert recipe(50_000, "speed").n_rows < recipe(50_000).n_rows / 2


def test_few_rows_have_a_smaller_net_and_weights_that_shrink():
    few, many = recipe(9_000), recipe(10_000)
    assert (few.depth, many.depth) == (1, 2)
    assert few.is_careful > many.is_careful
    assert few.dropout > many.dropout


def test_ten_thousand_texts_are_read_eight_times_and_fewer_more_often():
    assert text_recipe(10_000).n_rows / 10_000 == 8
    assert 15 < text_recipe(1_159).n_rows / 1_159 <= 20
    assert text_recipe(10_000, "speed").n_rows < 40_001


def test_sentences_are_read_more_often_the_fewer_they_are_up_to_fifty_times():
    assert tag_recipe(40_000).n_rows / 40_000 == pytest.approx(5, rel=0.01)
    assert tag_recipe(10_000).n_rows / 10_000 == pytest.approx(10, rel=0.01)
    assert tag_recipe(100).n_rows / 100 > 50  # no fewer than 200 updates
    assert tag_recipe(400).n_rows / 400 == pytest.approx(50, rel=0.02)
