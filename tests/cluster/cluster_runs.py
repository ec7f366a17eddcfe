"""Runs with workers, and the same without."""

import os
import random
from contextlib import contextmanager

from run_fakes import config_of, train
from test_batching import TEXT

# Five micro-batches a step: no number of workers from 2 to 4 divides them.
PARTS = ("--training.accumulate_gradient", 5)

# Three passes of batches of 13 rows, of the 41 that `write_texts` writes, and one of two.
IDLE = ("--training.batch_size", 13, "--training.max_steps", 12, "--training.eval_frequency", 6)


@contextmanager
def cluster_for_all():
    """A cluster of 16 CPUs within the block, for runs of this process and of others that are told its address.

    These others take 127.0.0.1 for the machine's own address, so the cluster is not told to listen there alone.
    """
    import ray

    from trainer_cli.cluster.connection import QUIET, own

    os.environ |= QUIET
    with own(ray, n_cpus=16):
        yield ray


def workers(n, **more):
    """Overrides for a run with so many workers; 0 is a run without a cluster."""
    words = [
        ("--cluster.@clusters", "ray.v1"),
        ("--cluster.workers", n),
        *((f"--cluster.{k}", v) for k, v in more.items()),
    ]
    return [word for pair in words for word in pair] if n else []


def trained(folder, n_workers, *overrides, text=None, name=None, code="parts.py", progress=None, **more):
    """The folder of a run that was trained to its end."""
    out = folder / (name or f"of-{n_workers}")
    config = config_of(folder, *PARTS, *overrides, *workers(n_workers, **more), **({"text": text} if text else {}))
    train(config, out, resume=True, progress=progress, code=[folder / code] if code else [])
    return out


def write_texts(folder, words, n_most=9):
    """Data of texts of up to so many of these words."""
    numbers = random.Random(1)
    for name, n in (("train", 41), ("dev", 12)):
        texts = [numbers.choices(words, k=numbers.randint(1, n_most)) for _ in range(n)]
        lines = [f"{' '.join(text)},{'yes' if words[0] in text else 'no'}" for text in texts]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n")


def of_words(text):
    """A config of texts with the model that has a table of words."""
    model = '[model]\n@layers = "text_bow.v1"\nhidden = 4\ndropout = 0.1\n\n'
    return text.replace(TEXT[TEXT.index("[model]") : TEXT.index("[loss]")], model)
