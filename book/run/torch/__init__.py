"""A stand-in for PyTorch, for pages: the core chapters run on it.

It gives PyTorch's own numbers, shapes, types and errors, or refuses with one
sentence; tests compare the two. Pure Python: storage in `array`.
"""

import math

from . import (
    _indexing,
    _linear,
    _random,
    _sums,
    autograd,
    distributions,
    linalg,
    nn,
    optim,
)
from ._modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from ._random import Generator
from ._tensor import FUNCTIONS, Tensor
from ._types import (
    NeedsPyTorch,
    Size,
    bool_,
    dtype,
    float32,
    float64,
    int32,
    int64,
    needs,
    uint8,
)

globals().update(FUNCTIONS)
bool, float, double, int, long = bool_, float32, float64, int32, int64
pi, inf, nan, e = math.pi, math.inf, math.nan, math.e


def __getattr__(name):
    if name.startswith("__") and name != "__version__":
        raise AttributeError(name)
    needs(f"torch.{name}")
