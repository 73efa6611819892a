"""torch.distributions: the normal distribution's density."""

import math

from ._making import as_tensor
from ._tensor import Tensor
from ._types import Partial, float32, known, only, refusing


class Normal(Partial):
    """N(loc, scale²); `log_prob` is the logarithm of its density."""

    @known
    def __init__(self, loc, scale):
        for value in (loc, scale):
            single = isinstance(value, Tensor) and not value._shape
            only(type(value) is float or single, "Normal of these parameters")
        only(loc == loc and scale > 0, "Normal with these parameters")
        self.loc, self.scale = (
            v if isinstance(v, Tensor) else as_tensor(v, dtype=float32)
            for v in (loc, scale)
        )

    def log_prob(self, value):
        right = isinstance(value, Tensor) and value._dtype.rank == 2
        only(right and value.isfinite().all(), "log_prob of this")
        var, log_scale = self.scale**2, self.scale.log()
        half = -((value - self.loc) ** 2) / (2 * var)
        return half - log_scale - math.log(math.sqrt(2 * math.pi))


__getattr__ = refusing("torch.distributions")
