"""torch.optim: SGD without momentum."""

from array import array

from ._math import check_change
from ._tensor import Tensor, elements, store
from ._types import Partial, known, only, refusing, rounded
from .autograd import no_grad


class Group(Partial):
    """Parameters, and their learning rate, which may be changed."""

    def __init__(self, **settings):
        self._settings = settings

    def __getitem__(self, key):
        only(key in self._settings, f"SGD's {key}")
        return self._settings[key]

    def __setitem__(self, key, value):
        only(key == "lr" and type(value) in (int, float), "setting this")
        self._settings[key] = value


class SGD(Partial):
    """Moves each parameter by -lr times its gradient."""

    @known
    def __init__(self, params, lr=1e-3):
        only(not isinstance(params, (Tensor, dict)), "SGD of these parameters")
        params, right = list(params), type(lr) in (int, float)
        right = right and len({*map(id, params)}) == len(params) > 0 <= lr
        only(right, "SGD of these arguments")
        for param in params:
            only(isinstance(param, Tensor), "SGD but of tensors")
            if param._node is not None:
                raise ValueError("can't optimize a non-leaf Tensor")
        self.param_groups = [Group(params=params, lr=lr)]

    @known
    def zero_grad(self):
        for param in self.param_groups[0]["params"]:
            param._grad = None

    @known
    def step(self):
        """Do it: param += -lr * grad, rounded once, as processors do."""
        only(len(self.param_groups) == 1, "several groups of parameters")
        (group,) = self.param_groups
        for param in group["params"]:
            if param._grad is None:
                continue
            with no_grad():
                check_change(param, False)
            kind = param._dtype
            factor = rounded(-group["lr"], kind)
            pairs = zip(elements(param), elements(param._grad), strict=True)
            values = [x + factor * g for x, g in pairs]
            store(param, array(kind.code, values))


__getattr__ = refusing("torch.optim")
