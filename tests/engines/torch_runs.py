"""A small run of a PyTorch module that has all that could go wrong: dropout, normalisation, a frozen part, a table."""

import engine_runs
from engine_runs import write_run

PARTS = """
import torch
from torch import nn

from trainer_cli.api import registry


class Net(nn.Module):
    def __init__(self, width, fault):
        super().__init__()
        self.hidden, self.norm, self.drop = nn.Linear(2, width), nn.BatchNorm1d(width), nn.Dropout(0.3)
        self.fixed, self.output = nn.Linear(width, width).requires_grad_(False), nn.Linear(width, 2)
        self.fault, self.n = fault, 0

    def forward(self, x):
        self.n += self.training
        y = self.output(torch.relu(self.fixed(self.drop(self.norm(self.hidden(x))))))
        return getattr(self, self.fault)(y) if self.fault else y

    def as_tuple(self, y):
        return y, y

    def as_whole(self, y):
        return y.argmax(1)

    def wrong_width(self, y):
        return y.repeat(1, 2)

    def wrong_rows(self, y):
        return y[1:]

    def raises(self, y):
        raise KeyError("no such thing")

    def raises_late(self, y):
        if self.n > 5:
            return self.raises(y)
        return y

    def raises_back(self, y):
        return Backwards.apply(y)

    def not_finite(self, y):
        return y * float("nan")

    def nan_late(self, y):
        return y / (0 if self.n > 5 else 1)

    def sparse(self, y):
        return y.to_sparse()

    def nested(self, y):
        return torch.nested.nested_tensor([y])

    def empty(self, y):
        return y[:, :0]

    def wide_late(self, y):
        return y.repeat(1, 2) if self.n > 5 else y

    def axes_late(self, y):
        return y.unsqueeze(1) if self.n > 5 else y

    def exits(self, y):
        raise SystemExit(3)

    def exits_back(self, y):
        return Leaving.apply(y)

    def nan_dev(self, y):
        return y if self.training or len(y) != 20 else torch.where(torch.arange(20)[:, None] == 4, y / 0, y)

    def nan_predicting(self, y):
        return y if self.training else y / 0

    def detached(self, y):
        return y.detach()

    def softmax(self, y):
        return y.softmax(1)

    def raises_dev(self, y):
        if not self.training and self.n > 5:
            raise RuntimeError("not now")
        return y


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y):
        return y * 1

    @staticmethod
    def backward(ctx, dy):
        raise RuntimeError("no way back")


class Leaving(Backwards):
    @staticmethod
    def backward(ctx, dy):
        raise SystemExit("gone")


class Counting(nn.Linear):
    n = 0

    def get_extra_state(self):
        return {"n": self.n}

    def set_extra_state(self, state):
        self.n = state["n"]


@registry.layers("counting.v1")
def counting():
    return nn.Sequential(Counting(2, 2))


class Averaging(nn.Linear):
    # less the mean of all batches so far, which there is from the first one on

    def __init__(self):
        super().__init__(2, 2)
        self.register_buffer("total", torch.zeros(2))
        self.register_buffer("n", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.total += x.mean(0)
            self.n += 1
        return super().forward(x - self.total / self.n)


@registry.layers("averaging.v1")
def averaging():
    return Averaging()


@registry.layers("identity.v1")
def identity():
    return nn.Identity()


@registry.layers("net.v1")
def net(width: int = 6, fault: str = ""):
    return Net(width, fault)


@registry.layers("no_module.v1")
def no_module():
    return 3
"""

CONFIG = engine_runs.CONFIG.format(wrapper="PyTorchWrapper", max_steps=30)
ADAM = '@optimizers = "Adam.v1"\nlearn_rate = 0.02'


def write_files(folder, optimizer=ADAM):
    return write_run(folder, PARTS, CONFIG.replace(ADAM, optimizer))
