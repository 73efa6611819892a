"""torch.optim: SGD without momentum."""

from ._modes import no_grad
from ._tensor import Tensor
from ._types import Partial, needs, only


class SGD(Partial):
    """Moves each parameter by -lr times its gradient."""

    def __init__(self, params, lr=1e-3, **more):
        only(not isinstance(params, (Tensor, dict)), "SGD of these parameters")
        params, right = list(params), not more and type(lr) in (int, float)
        only(right and lr >= 0 and params, "SGD of these arguments")
        only(len({*map(id, params)}) == len(params), "SGD of one thing twice")
        for param in params:
            only(isinstance(param, Tensor), "SGD but of tensors")
            if param._node is not None:
                raise ValueError("can't optimize a non-leaf Tensor")
        self.param_groups = [{"params": params, "lr": lr}]

    def zero_grad(self):
        for group in self.param_groups:
            for param in group["params"]:
                param._grad = None

    def step(self):
        with no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    if param._grad is not None:
                        param.add_(param._grad, alpha=-group["lr"])


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    needs(f"torch.optim.{name}")
