"""Whether gradients reach what a PyTorch module is to train, and what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trainer_cli.model import Model
from trainer_cli.wrappers.engine import first_names

if TYPE_CHECKING:
    from trainer_cli.wrappers.torch_engine import TorchEngine
    from trainer_cli.wrappers.torch_tensors import Arguments

CAUSE = "is it made under torch.no_grad() or .detach()?"


@contextmanager
def proved(engine: TorchEngine, model: Model, X: Any, fed: Arguments | None) -> Iterator[None]:
    """The block is a module's first way back. ModuleError: it reaches none of the parameters that are to be trained, or
    of the inputs in `fed`, behind which there are such.

    A parameter that only some passes reach is as it should be, so one is enough.
    """
    reached: list[bool] = []
    trained, frozen = engine.contents.trained, engine.contents.frozen
    hooks = [param.register_post_accumulate_grad_hook(lambda _: reached.append(True)) for param in trained.values()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    what = ""
    if trained and not reached:
        what = f"returned an output that depends on none of its parameters ({first_names(trained)}): {CAUSE}"
    elif fed is not None and fed.leaves and all(leaf.grad is None for leaves in fed.leaves.values() for leaf in leaves):
        what = f"returned an output that does not depend on its input, so nothing before it is trained: {CAUSE}"
    elif frozen and not trained and not has_parameters(model):
        what = (
            f"has frozen parameters alone ({first_names(frozen)}), and no other layer has any: nothing would be trained"
        )
    if what:
        raise engine.failure(model.where, what, X)
    engine.flows = True


def has_parameters(model: Model) -> bool:
    """Whether anything of the whole model is trained."""
    store = model.store_or_none
    return store is not None and bool(store.segments)
