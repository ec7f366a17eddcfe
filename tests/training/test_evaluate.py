import copy
import math

import numpy as np
import pytest

from trainer_cli.api import DivergedError, L2Distance, Linear, Softmax
from trainer_cli.arrays import Batch, Ragged
from trainer_cli.evaluate import check_finite, evaluate, named_results, probabilities
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.metrics.accuracy import Accuracy

N = 23
X = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 2, N)
WEIGHTS = np.linspace(0, 2, N).astype(np.float32)
MODEL = Softmax().initialize(X, np.eye(2, dtype=np.float32))
MODEL.store.values[...] = np.random.default_rng(2).normal(size=8)


def batches(size, weights=None, truths=Y):
    for start in range(0, N, size):
        part = slice(start, start + size)
        rows = np.arange(N)[part]
        yield Batch(X[part], truths[part], None if weights is None else weights[part], rows)


def scores(size, weights=None):
    return evaluate(MODEL, CategoricalCrossentropyV4(), {"accuracy": Accuracy()}, batches(size, weights))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["rows", "weights"])
@pytest.mark.parametrize("size", [1, 5, 22])
def test_a_short_last_batch_counts_by_its_rows(size, weights):
    whole, found = scores(N, weights), scores(size, weights)
    assert found.n == N
    assert found.metrics == whole.metrics  # to the bit: counts are exact
    assert found.loss == pytest.approx(whole.loss, rel=1e-6)


def test_scores_are_those_of_a_formula():
    P = MODEL.predict(X)
    found = scores(5, WEIGHTS)
    assert found.metrics["accuracy"] == pytest.approx(((P.argmax(1) == Y) * WEIGHTS).sum() / WEIGHTS.sum())
    assert found.loss == pytest.approx(-(np.log(P[np.arange(N), Y]) * WEIGHTS).sum() / WEIGHTS.sum(), rel=1e-6)


def test_rows_of_which_the_model_says_nothing_finite_are_told():
    truths = np.zeros((N, 2), np.float32)
    given = X.copy()
    given[[7, 20]] = 3e38
    steep = Linear().initialize(X, truths)
    steep.store.values[...] = 1e3
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(DivergedError, match="gives NaN") as caught:
        evaluate(steep, L2Distance(), {}, [Batch(given, truths, None, np.arange(100, 100 + N))])
    assert caught.value.rows == (107, 120)


def test_a_logit_that_rules_a_class_out_is_told_by_nobody():
    check_finite(probabilities(np.array([[0.0, -np.inf]]), "softmax"))
    check_finite(Ragged(np.zeros((0, 2)), np.array([0, 0])))
    with pytest.raises(DivergedError) as caught:
        check_finite(Ragged(np.array([[0.0], [np.nan], [np.inf]]), np.array([1, 0, 2])))
    assert caught.value.rows == (2,)


def test_a_loss_that_is_a_sum_is_added_up():
    truths = np.eye(2, dtype=np.float32)[Y]
    expected = ((MODEL.predict(X) - truths) ** 2).sum()
    found = evaluate(MODEL, L2Distance(normalize=False), {}, batches(5, truths=truths))
    assert found.loss == pytest.approx(expected, rel=1e-6)


def test_a_metric_with_several_scores_gives_each_its_name():
    class Both(Accuracy):
        def result(self):
            return {"right": float(self.correct), "all": float(self.total)}

    found = evaluate(MODEL, CategoricalCrossentropyV4(), {"count": Both()}, batches(5))
    assert found.metrics == {"count_right": float((MODEL.predict(X).argmax(1) == Y).sum()), "count_all": 23.0}
    assert math.isnan(named_results({"accuracy": Accuracy()})["accuracy"])


def test_the_configured_metric_stays_empty():
    metric = Accuracy()
    first = evaluate(MODEL, CategoricalCrossentropyV4(), {"accuracy": metric}, batches(5))
    assert metric.total == 0
    assert evaluate(MODEL, CategoricalCrossentropyV4(), {"accuracy": metric}, batches(5)) == first


def test_nothing_to_score_is_no_number():
    found = evaluate(MODEL, CategoricalCrossentropyV4(), {"accuracy": Accuracy()}, [])
    assert found.n == 0
    assert math.isnan(found.loss)
    assert math.isnan(found.metrics["accuracy"])


def test_links_turn_outputs_into_probabilities():
    outputs = np.array([[0.0, math.log(3)], [1000.0, -1000.0]])
    np.testing.assert_allclose(probabilities(outputs, "softmax"), [[0.25, 0.75], [1, 0]])
    np.testing.assert_allclose(probabilities(outputs, "sigmoid"), [[0.5, 0.75], [1, 0]])
    assert probabilities(outputs, "none") is outputs


def test_the_comparison_sees_a_mean_of_batches(monkeypatch):
    def mean(loss, parts):
        return sum(value for value, _ in parts) / len(parts)

    monkeypatch.setattr("trainer_cli.evaluate.whole_loss", mean)
    with pytest.raises(AssertionError):
        test_a_short_last_batch_counts_by_its_rows(5, None)


def test_the_comparison_sees_a_metric_that_goes_on_counting(monkeypatch):
    monkeypatch.setattr(copy, "deepcopy", lambda metric: metric)
    with pytest.raises(AssertionError):
        test_the_configured_metric_stays_empty()
