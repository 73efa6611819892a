"""torch.nn: nothing yet; no module of it can be made here."""

from ._types import needs, refusing


class Module:
    def __init__(self, *args, **kwargs):
        needs("torch.nn.Module")


__getattr__ = refusing("torch.nn")
