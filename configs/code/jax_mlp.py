"""A multilayer perceptron in plain JAX, for JAXWrapper.v1."""

import jax
import jax.numpy as jnp

from trainer_cli.api import registry


@registry.layers("jax_mlp.v1")
def jax_mlp(widths: list[int], dropout: float = 0.0):
    """Relu layers of these widths, and one without at the end, whose outputs are logits."""

    def init(rng, X):
        sizes = [X[0].size, *widths]
        names = ["hidden", "second", "output"]
        rngs = jax.random.split(rng, len(widths))
        return {name: dense(*args) for name, *args in zip(names, rngs, sizes[:-1], sizes[1:], strict=True)}

    def apply(params, X, is_train, rng):
        Y = X.reshape(len(X), -1)
        for name in ("hidden", "second"):
            rng, key = jax.random.split(rng)
            Y = jax.nn.relu(Y @ params[name]["W"] + params[name]["b"])
            if is_train and dropout:
                Y = Y * jax.random.bernoulli(key, 1 - dropout, Y.shape) / (1 - dropout)
        return Y @ params["output"]["W"] + params["output"]["b"]

    return init, apply


def dense(rng, n_in, n_out):
    """A layer's parameters: Glorot's uniform weights, and no bias."""
    W = jax.nn.initializers.glorot_uniform()(rng, (n_in, n_out))
    return {"W": W, "b": jnp.zeros(n_out)}
