"""What is counted while a model is scored: classes, what is confused, and the worst mistakes, by hand and by a peer."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as peer

from trainer_cli.arrays import Batch, Ragged
from trainer_cli.assessment import kind_of, rounded, watch_of
from trainer_cli.class_counts import ClassCounts, FlagCounts
from trainer_cli.data.block import Block, Places
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.encoders.multilabel import Multilabel
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.mistakes import EXCERPT, Mistake, Passing, Worst, excerpt

RNG = np.random.default_rng(0)


def rows(n, n_classes, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, n_classes, n), rng.integers(0, n_classes, n), rng.random(n)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_by_class_and_the_matrix_are_the_peer_s(weighted):
    for seed in range(50):
        true, taken, weights = rows(40, 6, seed)
        weights = weights if weighted else None
        counts = ClassCounts("abcdef")
        for part in np.array_split(np.arange(40), 3):
            counts.add(true[part], taken[part], None if weights is None else weights[part])
        more = {"labels": range(6), "sample_weight": weights}
        expected = peer.precision_recall_fscore_support(true, taken, zero_division=np.nan, **more)
        found = [(each.precision, each.recall, each.f1, each.support) for each in counts.by_class()]
        np.testing.assert_allclose(np.transpose(found), expected, rtol=1e-12)
        np.testing.assert_allclose(counts.matrix(range(6)), peer.confusion_matrix(true, taken, **more), rtol=1e-12)


def test_scores_by_label_are_the_peer_s():
    rng = np.random.default_rng(1)
    true, given, weights = rng.random((30, 4)) < 0.4, rng.random((30, 4)) < 0.4, rng.random(30)
    counts = FlagCounts("abcd")
    counts.add(true[:9], given[:9], weights[:9])
    counts.add(true[9:], given[9:], weights[9:])
    expected = peer.precision_recall_fscore_support(true, given, sample_weight=weights)
    found = [(each.precision, each.recall, each.f1, each.support) for each in counts.by_class()]
    np.testing.assert_allclose(np.transpose(found), expected, rtol=1e-12)


def test_unknown_classes_are_mistakes_and_spoil_the_precision():
    counts = ClassCounts(["a", "b"])
    counts.add(np.array([0, 0, -1, -1]), np.array([0, 1, 1, 1]))
    a, b = counts.by_class()
    assert (a.precision, a.recall, a.support) == (1.0, 0.5, 2)
    assert np.isnan(b.recall)
    assert (b.precision, b.support) == (0.0, 0)
    assert (counts.n_wrong, counts.has_unknown, counts.unknown([0, 1])) == (3, True, [0, 2])


def test_the_most_confused_classes_are_those_with_mistakes_in_their_order():
    counts = ClassCounts("abcde")
    counts.add(np.array([0, 1, 2, 3, 4, 4, 4]), np.array([0, 1, 2, 1, 4, 1, 3]))
    assert counts.most_confused(2) == [1, 3]
    assert counts.most_confused(3) == [1, 3, 4]
    assert counts.most_confused(9) == [0, 1, 2, 3, 4]


def mistake(size, row):
    return Mistake("f.csv", row + 2, row, "a", "b", size, "")


@pytest.mark.parametrize("n", [0, 1, 3, 20])
def test_the_worst_are_kept_and_of_equals_the_first(n):
    for seed in range(30):
        sizes = np.round(np.random.default_rng(seed).random(15), 1)
        worst, made = Worst(n), []

        def tell(i, start=0, sizes=sizes, made=made):
            made.append(start + i)
            return mistake(sizes[start + i], start + i)

        for start in range(0, 15, 4):
            worst.offer(sizes[start : start + 4], lambda i, start=start: tell(i, start))
        expected = np.argsort(-sizes, kind="stable")[:n].tolist()
        assert [each.row for each in worst.found()] == expected
        assert n > 0 or made == []


def test_a_size_that_is_no_number_is_the_worst():
    worst = Worst(1)
    worst.offer(np.array([0.9, np.nan]), lambda i: mistake(i, i))
    assert worst.found()[0].row == 1


class Reader:
    def __init__(self, *blocks):
        self.held = blocks

    def columns(self):
        return tuple(self.held[0].columns)

    def blocks(self):
        yield from self.held


def block(n, start=0, **columns):
    return Block(columns or {"x": [str(start + i) for i in range(n)]}, Places("d.csv", range(start + 2, 10**6)), start)


def test_a_row_is_found_while_its_block_goes_by():
    passing = Passing(Reader(block(3), block(2, 3), block(4, 5)))
    blocks = passing.blocks()
    next(blocks), next(blocks)
    assert passing.find(2)[1] == 2
    assert passing.find(4)[0].place(1) == ("d.csv", 6)
    next(blocks)
    passing.forget(4)
    assert passing.find(4)[0].start == 3
    with pytest.raises(StopIteration):
        passing.find(2)


def test_an_excerpt_has_the_record_without_the_target():
    table = block(1, age=["35"], label=["yes"], size=np.array([1 / 3]), image=np.zeros((1, 2, 2)))
    assert excerpt(table, 0, ("label",)) == "age=35 size=0.333333"
    assert excerpt(block(1, text=["a\n b\x1b[2J"], label=["x"]), 0, ("label",)) == "a b\\x1b[2J"
    assert excerpt(block(1, words=[["It", "is"]], tags=[["O", "O"]]), 0, ("tags",)) == "It is"
    assert len(excerpt(block(1, text=["long " * 999], label=["x"]), 0, ("label",))) == EXCERPT


def trained(name, target):
    return SimpleNamespace(target=(name, target))


def seen(name, target, blocks, batch, Ph, n=9):
    """The watch after one batch of all the blocks' rows."""
    watch = watch_of(trained(name, target), Reader(*blocks), n)
    list(watch.passing.blocks())
    watch.see(batch, Ph)
    return watch


def fitted(target, *blocks):
    target.choose(tuple(blocks[0].columns))
    for each in blocks:
        target.fit(each)
    target.finish_fit()
    return target


def batch(Y, n):
    return Batch(np.zeros((n, 1)), Y, None, np.arange(n))


def test_mistakes_of_classes_are_told_with_their_probability():
    blocks = [block(2, x=["1", "2"], label=["b", "a"]), block(1, 2, x=["3"], label=["new"])]
    target = fitted(Labels(unknown="miss"), blocks[0])
    P = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    watch = seen("labels.v1", target, blocks, batch(np.array([1, 0, -1]), 3), P)
    found = watch.worst.found()
    assert found[0] == Mistake("d.csv", 4, 2, "new", "b", 0.8, "3")
    assert found[1] == Mistake("d.csv", 2, 0, "b", "a", 0.7, "1")
    assert watch.counts.cells == {(1, 0): 1, (0, 0): 1, (-1, 1): 1}


def test_mistakes_of_tokens_are_told_with_the_words_around():
    words = [["EU", "rejects", "German", "call", "to", "boycott", "lamb"], ["Peter"]]
    tags = [["ORG", "O", "MISC", "O", "O", "O", "O"], ["PER"]]
    target = SimpleNamespace(names=("MISC", "O", "ORG", "PER"), reads=("tags",))
    truths = np.array([target.names.index(tag) for row in tags for tag in row])
    taken = truths.copy()
    taken[[5, 7]] = 0
    lengths = np.array([7, 1])
    Ph = Ragged(np.eye(4)[taken] * 0.9, lengths)
    watch = seen("tags.v1", target, [block(2, words=words, tags=tags)], batch(Ragged(truths, lengths), 2), Ph)
    first, second = watch.worst.found()
    assert (first.excerpt, first.token, first.line) == ("rejects German call to [boycott] lamb", 6, 2)
    assert (second.excerpt, second.token, second.line, second.truth) == ("[Peter]", 1, 3, "PER")
    assert [each.support for each in watch.counts.by_class()] == [1, 5, 1, 1]


def test_mistakes_of_labels_are_told_one_by_one():
    blocks = [block(2, x=["1", "2"], label=["a;b", ""])]
    target = fitted(Multilabel(), *blocks)
    P = np.array([[0.9, 0.05], [0.2, 0.5]])
    watch = seen("multilabel.v1", target, blocks, batch(target.encode(blocks[0]), 2), P)
    first, second = watch.worst.found()
    assert first == Mistake("d.csv", 2, 0, True, False, 0.95, "1", label="b")
    assert second == Mistake("d.csv", 3, 1, False, True, 0.5, "2", label="b")
    assert [each.f1 for each in watch.counts.by_class()] == [1.0, 0.0]


def test_mistakes_of_numbers_are_told_in_their_unit():
    blocks = [block(2, x=["1", "2"], y=["10", "30"])]
    target = fitted(Numbers("y"), *blocks)
    watch = seen("numbers.v1", target, blocks, batch(target.encode(blocks[0]), 2), np.array([[-1.0], [0.5]]))
    assert watch.worst.found()[0] == Mistake("d.csv", 3, 1, 30.0, 25.0, 5.0, "2")
    assert watch.counts is None
    assert rounded(21.70000076293945) == 21.7


def test_of_a_target_of_one_s_own_nothing_is_known():
    own = SimpleNamespace(reads=("y",))
    assert kind_of(trained("own.v1", own)) == "any"
    assert kind_of(trained("own.v1", SimpleNamespace(truths="classes", names=("a",)))) == "classes"
    assert seen("own.v1", own, [block(2)], batch(np.zeros(2), 2), np.zeros((2, 1))).counts is None


def peak(n_blocks):
    """The most memory in bytes while rows go by of which many are mistakes."""
    target = fitted(Labels("label"), block(2, x=["1", "2"], label=["a", "b"]))

    class Many:
        def blocks(self):
            for start in range(0, n_blocks * 500, 500):
                yield block(500, start, x=["word " * 40] * 500, label=["a"] * 500)

    tracemalloc.start()
    watch = watch_of(trained("labels.v1", target), Many(), 10)
    for number, _ in enumerate(watch.passing.blocks()):
        rows = np.arange(number * 500, number * 500 + 500)
        watch.passing.forget(number * 500)
        P = np.full((500, 2), [0.0, (number + 1) / n_blocks])
        watch.see(Batch(np.zeros((500, 1)), np.zeros(500, np.int64), None, rows), P)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(watch.worst.found()) == 10
    return found


def test_memory_does_not_grow_with_the_rows():
    assert peak(200) < 1.2 * peak(20)


def test_the_check_of_memory_sees_blocks_that_are_kept(monkeypatch):
    monkeypatch.setattr(Passing, "forget", lambda self, row: None)
    assert peak(200) > 1.2 * peak(20)
