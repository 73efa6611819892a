"""torch.nn: nothing yet; no module of it can be made here."""

from ._types import needs


class Module:
    def __init__(self, *args, **kwargs):
        needs("torch.nn.Module")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    needs(f"torch.nn.{name}")
