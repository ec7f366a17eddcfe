"""The best sequence that keeps the rules."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged

# What breaking a rule once costs: more than all the log-probabilities of a sentence together.
BREACH = 1e12
LEAST = 1e-300


def best_tags(probabilities: Ragged, begins: Array, follows: Array, ends: Array) -> Ints:
    """The tags, one a token, (sum,) int64, of the most probable sequence of each row that keeps the rules.

    `probabilities` is (sum, n): the sequence has the largest product of its tags' probabilities among those that start
    in `begins` (n,), end in `ends` (n,) and go from tag to tag as `follows` (n, n) allows, all of bool. Where none
    keeps the rules, one that breaks as few as can be. Viterbi, "Error Bounds for Convolutional Codes" (1967).
    """
    scores = np.log(np.maximum(probabilities.data.astype(np.float64), LEAST))
    lengths, starts = probabilities.lengths, probabilities.starts()[:-1]
    order = np.argsort(-lengths, kind="stable")  # the longest first: those that go on are the first few
    lengths, starts = lengths[order], starts[order]
    steps = -BREACH * ~follows
    n, longest = scores.shape[1], int(lengths.max(initial=0))
    best = np.zeros((len(lengths), n))
    came_from = np.zeros((len(scores), n), np.int32)  # the best tag before each tag of a token
    n_alive = np.searchsorted(-lengths, -np.arange(longest)).tolist()  # rows longer than t
    for t, alive in enumerate(n_alive):
        tokens = starts[:alive] + t
        here = scores[tokens]
        if t == 0:
            best[:alive] = here - BREACH * ~begins
            continue
        paths = best[:alive, :, None] + steps
        came_from[tokens] = paths.argmax(axis=1)
        best[:alive] = paths.max(axis=1) + here
    return _back(best - BREACH * ~ends, came_from, starts, n_alive)


def _back(best: Array, came_from: Array, starts: Ints, n_alive: list[int]) -> Ints:
    """The tags along the best path of each row, from its last tag to its first."""
    tags = np.zeros(len(came_from), np.int64)
    current = best.argmax(axis=1)
    for t in range(len(n_alive) - 1, -1, -1):
        alive = n_alive[t]
        tokens = starts[:alive] + t
        tags[tokens] = current[:alive]
        current[:alive] = came_from[tokens, current[:alive]]
    return tags
