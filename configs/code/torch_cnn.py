"""A convolutional network in PyTorch for small grey images."""

from torch import nn

from trainer_cli.api import registry


@registry.layers("torch_cnn.v1")
def torch_cnn(width: int = 32, hidden: int = 256, n_classes: int = 10, dropout: float = 0.4) -> nn.Module:
    """Two blocks of two convolutions and a pooling, then a hidden layer; its outputs are logits."""
    return nn.Sequential(
        *block(1, width),
        *block(width, 2 * width),
        nn.Flatten(),
        nn.LazyLinear(hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, n_classes),
    )


def block(n_in: int, n_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(n_in, n_out, 3, padding=1),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        nn.Conv2d(n_out, n_out, 3, padding=1),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
