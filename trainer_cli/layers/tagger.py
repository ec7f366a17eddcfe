"""A model that gives each word a tag."""

from __future__ import annotations

from trainer_cli.layers.chain import chain
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.expand_window import expand_window
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.maxout import Maxout
from trainer_cli.layers.multi_hash_embed import MultiHashEmbed
from trainer_cli.layers.residual import residual
from trainer_cli.layers.softmax import Softmax
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("tagger.v1")
def tagger(
    width: int = 96,
    depth: int = 4,
    rows: list[int] | None = None,
    window_size: int = 1,
    nP: int = 3,
    dropout: float | Schedule | None = None,
    nO: int | None = None,
) -> Model:
    """A tag for each word from the words around it.

    X is Ragged keys (sum, k), as `tokens.v1` gives, Y is Ragged probabilities (sum, nO). Each word has a vector of
    `width` by `MultiHashEmbed.v1`, whose tables have `rows`; `depth` blocks follow, each of which adds to it a
    `Maxout.v1` of `nP` pieces of the word and its `window_size` neighbours on both sides, so that
    `depth * window_size` words on both sides are seen; then a softmax. `dropout` drops outputs of all but that in
    training. nO is inferred from the tags. It is the network of spaCy's HashEmbedCNN; Honnibal, "Embed, encode, attend,
    predict" (2016), https://explosion.ai/blog/deep-learning-formula-nlp.
    """
    sizes("tagger.v1", width=width, depth=depth, window_size=window_size, nP=nP, nO=nO)
    rate = checked(dropout)
    blocks = [
        residual(chain(expand_window(window_size), Maxout(width, nP=nP, normalize=True, dropout=rate).named("maxout")))
        for _ in range(depth)
    ]
    model = chain(
        MultiHashEmbed(width, rows, nP=nP, dropout=rate).named("words"),
        *(block.named(f"block{index}") for index, block in enumerate(blocks, 1)),
        Softmax(nO).named("output"),
    )
    model.attrs["layer"] = "tagger.v1"
    return model
