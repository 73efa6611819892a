"""A stand-in for PyTorch, for pages: the core chapters run on it.

It gives PyTorch's own numbers, shapes, types and errors, or refuses with one
sentence; tests compare the two. Pure Python: storage in `array`.
"""

import math

from . import (
    _indexing,
    _random,
    _sums,
    autograd,
    distributions,
    linalg,
    nn,
    optim,
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
    int64,
    refusing,
)
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)

globals().update(FUNCTIONS)
bool, float, double, long = bool_, float32, float64, int64
for _mode in (no_grad, enable_grad, inference_mode, set_grad_enabled):
    _mode.__module__ = "torch.autograd.grad_mode"
Tensor.__module__ = Size.__module__ = dtype.__module__ = "torch"
Generator.__module__, optim.SGD.__module__ = "torch._C", "torch.optim.sgd"
distributions.Normal.__module__ = "torch.distributions.normal"
pi, inf, nan = math.pi, math.inf, math.nan
__getattr__ = refusing("torch")
