"""A multilayer perceptron of thinc, for ThincWrapper.v1."""

from thinc.api import Model, Relu, Softmax, chain

from trainer_cli.api import registry


@registry.layers("thinc_mlp.v1")
def thinc_mlp(widths: list[int], dropout: float = 0.0):
    """The pixels of an image in a row, Relu layers of these widths, and a Softmax of the classes."""
    hidden = [Relu(width, dropout=dropout) for width in widths]
    return chain(Model("pixels", pixels), *hidden, Softmax())


def pixels(model, X, is_train):
    return X.reshape(len(X), -1), lambda dY: dY.reshape(X.shape)
