"""Tensors: numbers in an `array`, and views that share them."""

import warnings
from array import array
from functools import partial
from itertools import chain
from math import prod

from . import autograd
from ._printing import text
from ._types import (
    Partial,
    bool_,
    cast,
    float32,
    float64,
    int32,
    int64,
    known,
    needs,
    only,
    sized,
)
from .autograd import MODE, follows, record

FUNCTIONS = {}  # what torch.NAME is
TO_SCALAR = [  # said once
    "Converting a tensor with requires_grad=True to a scalar may lead to "
    "unexpected behavior.\nConsider using tensor.detach() first."
]


def method(name, function):
    """Make a function a method of Tensor, and a function of torch."""
    made = known(function, name, Tensor)
    setattr(Tensor, name, made)
    if not name.endswith("_"):
        FUNCTIONS.setdefault(name, made)


def methods(functions):
    """Do so with all functions of a class; operators are Python's alone."""
    for name, function in vars(functions).items():
        if callable(function) and name.startswith("__"):
            setattr(Tensor, name, function)
        elif callable(function):
            method(name, function)


class RemovableHandle(Partial):
    """What register_hook returns."""


class Tensor(Partial):
    """Elements of one type: one number, a sequence, or rows and columns.

    They are in `_data`, which views share. The first one is at `_start`; the
    next one along a dimension is so many places further as `_strides` says;
    None is row by row; where sizes are 1 PyTorch's may be others: `_unsure`.
    `_changes` counts the changes that all views see.
    """

    _start = 0
    _strides = _base = _node = _grad = None
    _hooks = ()
    _requires = _inference = _unsure = False
    shape = property(lambda self: self._shape)
    dtype = property(lambda self: self._dtype)
    ndim = property(lambda self: len(self._shape))
    is_leaf = property(lambda self: self.grad_fn is None)
    T = property(lambda self: turned(self, "PermuteBackward0"))
    __hash__ = object.__hash__

    def __init__(self, *args, **kwargs):
        needs("torch.Tensor(...): torch.tensor makes tensors")

    def numel(self):
        return prod(self._shape)

    def dim(self):
        return len(self._shape)

    def size(self, dim=None):
        shape = self._shape
        return shape if dim is None else shape[axis(dim, len(shape))]

    def stride(self):
        only(self.numel() and not self._unsure, "stride of this result")
        return steps_of(self)

    def is_floating_point(self):
        return self._dtype.rank == 2

    def is_inference(self):
        return self._inference

    # Gradients

    def requires_grad_(self, requires_grad=True):
        right = requires_grad is True or self._node is None
        right = right and not (follows(self) or is_turned(self))
        right = right and (MODE[1] or not self._inference)
        only(right and type(requires_grad) is bool, "this requires_grad_")
        if requires_grad and self._dtype.rank != 2:
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients"
            )
        if self._node is None:
            self._base = None  # now it is what others are views of
        self._requires = requires_grad
        return self

    @property
    def requires_grad(self):
        only(not follows(self) or self._base.is_leaf, "a view of a result")
        return self._requires or follows(self)

    requires_grad = requires_grad.setter(partial(needs, "requires_grad = ..."))

    @property
    def grad_fn(self):
        if self._base is not None and (self._node or follows(self)):
            same = self._changes[0] == self._made_at
            only(same, "grad_fn of a view that was changed")
        return self._node

    @property
    def grad(self):
        only(self._node is None, "grad of a result")
        return self._grad

    @grad.setter
    def grad(self, gradient):
        right = isinstance(gradient, Tensor) and gradient is not self
        right = right and gradient._dtype is self._dtype
        right = right and gradient._shape == self._shape
        only(right or gradient is None, "this grad")
        self._grad = gradient

    grad = grad.deleter(partial(needs, "del of grad"))

    def backward(self, gradient=None, retain_graph=None):
        autograd.add_up(self, gradient, retain_graph)

    def register_hook(self, hook):
        only(self._requires and self._node is None, "register_hook of this")
        self._hooks = [*self._hooks, hook]
        return RemovableHandle()

    def detach(self):
        seen = view(self, self._shape, self._strides, self._start)
        seen._base = None
        return seen

    def _ones(self):
        return full_of(1, self._shape, self._dtype)

    def _copy(self):
        """The same numbers, row by row, of their own."""
        return fresh(elements(self)[:], self._shape, self._dtype)

    # What Python asks

    def __repr__(self):
        return text(self)

    def __len__(self):
        only(self._shape, "len of a number")
        return self._shape[0]

    def __iter__(self):
        rows = range(len(self))
        return iter([select(self, 0, i, "UnbindBackward0") for i in rows])

    def __bool__(self):
        only(self.numel(), "whether nothing is true")
        if self.numel() > 1:
            raise RuntimeError(
                "Boolean value of Tensor with more than one value is ambiguous"
            )
        return bool(elements(self)[0])

    def __float__(self):
        if self.numel() != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
            )
        if self._requires and TO_SCALAR:
            warnings.warn(TO_SCALAR.pop(), stacklevel=2)
        return float(self.item())

    def __int__(self):
        only(self.numel() == 1 and not self._requires, "int of this")
        return int(self.item())

    def __index__(self):
        right = self._dtype.rank == 1 and self.numel() == 1
        only(right, "this tensor as an index of a list")
        return self.item()

    def __format__(self, how):
        if self._shape:
            return object.__format__(self, how)
        return format(self.item(), how)

    def item(self):
        if self.numel() != 1:
            raise RuntimeError(
                f"a Tensor with {self.numel()} elements cannot be converted "
                "to Scalar"
            )
        return nested(self, ())

    def tolist(self):
        return nested(self, self._shape)

    # Other types and shapes

    def double(self):
        return convert(self, float64)

    def float(self):
        return convert(self, float32)

    def long(self):
        return convert(self, int64)

    def int(self):
        return convert(self, int32)

    def reshape(self, *shape):
        return reshaped(self, new_shape("reshape", self, shape))

    def view(self, *shape):
        shape = new_shape("view", self, shape)
        if shape != self._shape and step_of(self) is None:
            raise RuntimeError(
                "view size is not compatible with input tensor's size and "
                "stride (at least one dimension spans across two contiguous "
                "subspaces). Use .reshape(...) instead."
            )
        return reshaped(self, shape)

    def flatten(self):
        return self if len(self._shape) == 1 else self.reshape(-1)

    def expand(self, *sizes):
        shape = size_of("expand", sizes)
        same = len(shape) == len(self._shape)
        only(same or (shape and shape[0] > 1), "expand to this size")
        seen = expanded(self, shape)
        return record(seen, "ExpandBackward0", (self,), (lambda g: g,))


# Storage


def fresh(data, shape, kind, *inputs):
    """A new tensor of these elements, in order.

    Of an operation on inputs it is laid out as the first table among them.
    """
    tensor = object.__new__(Tensor)
    tensor._data, tensor._shape, tensor._dtype = data, shape, kind
    tensor._changes = [0]
    if MODE[1]:
        tensor._inference = True
    only(len(shape) < 3, "three dimensions")
    tables = [t for t in inputs if type(t) is Tensor] if shape else ()
    if 1 in shape:
        tensor._unsure = any(t._unsure or t._strides for t in tables)
    for table in tables:
        if table._shape == shape and 0 not in (table._strides or ()):
            if is_turned(table):
                columns = [data[j :: shape[1]] for j in range(shape[1])]
                tensor._data = array(data.typecode, chain(*columns))
                tensor._strides = 1, shape[0]
            break
    return tensor


def is_turned(tensor):
    """Whether this is a table with columns before rows."""
    if tensor._strides is None or step_of(tensor) is not None:
        return False
    return 0 < tensor._strides[0] < tensor._strides[1]


def full_of(number, shape, kind):
    return fresh(array(kind.code, (number,)) * prod(shape), shape, kind)


def view(tensor, shape, strides, start):
    """Another tensor with the same elements, or some of them."""
    only(len(shape) < 3, "three dimensions")
    seen = object.__new__(Tensor)
    seen._data, seen._shape, seen._dtype = tensor._data, shape, tensor._dtype
    seen._start, seen._changes = start, tensor._changes
    seen._made_at = tensor._changes[0]
    seen._base = tensor if tensor._base is None else tensor._base
    seen._unsure, seen._inference = tensor._unsure, tensor._inference
    if strides and strides != steps_of(seen):
        seen._strides = strides
    return seen


MARK = full_of(0, sized((0,)), int64)  # "something was saved"


def steps_of(tensor):
    """How far apart the elements are along each dimension."""
    width = max(tensor._shape[-1], 1) if tensor._shape else 1
    return tensor._strides or (width, 1)[2 - len(tensor._shape) :]


def step_of(tensor):
    """How far apart neighbours are; None if that is not always the same."""
    if tensor._strides is None:
        return 1
    pairs = zip(tensor._shape, tensor._strides, strict=True)
    steps = [step for size, step in pairs if size > 1] or [1]
    return steps[0] if len(steps) == 1 or not any(steps) else None


def overlap(one, other):
    """Whether they have memory in common, and are not the same view."""
    if one._data is not other._data:
        return False
    here, there = ((t._start, t._shape, steps_of(t)) for t in (one, other))
    return here != there


def places(start, sizes, steps):
    """Where elements are that lie so many steps apart."""
    found = [start]
    for size, step in zip(sizes, steps, strict=True):
        found = [place + step * i for place in found for i in range(size)]
    return found


def elements(tensor):
    """The elements row by row, as an array; not to be changed."""
    data, start, n = tensor._data, tensor._start, prod(tensor._shape)
    if tensor._strides is None:
        return data if len(data) == n else data[start : start + n]
    if not any(tensor._strides):
        return data[start : start + 1] * n
    (*rows, width), (*down, step) = tensor._shape, tensor._strides
    found = data[:0]
    for at in places(start, rows, down):
        row = data[at : at + width * step : step] if step else None
        found += row or data[at : at + 1] * width
    return found


def store(tensor, values):
    """Write new elements where the old ones are."""
    data, start = tensor._data, tensor._start
    if tensor._strides is None:
        data[start : start + len(values)] = values
    else:
        where = places(start, tensor._shape, tensor._strides)
        for place, value in zip(where, values, strict=True):
            data[place] = value
    tensor._changes[0] += 1


def nested(tensor, shape):
    """The elements as lists in lists, as deep as the shape is long."""
    values = elements(tensor).tolist()
    if tensor._dtype is bool_:
        values = list(map(bool, values))
    if len(shape) == 2:
        rows, width = shape
        return [values[i * width : i * width + width] for i in range(rows)]
    return values if shape else values[0]


def convert(tensor, kind):
    """The same numbers in another type."""
    old = tensor._dtype
    if kind is old:
        return tensor
    data = cast(elements(tensor), old, kind)
    result = fresh(data, tensor._shape, kind, tensor)
    if step_of(tensor) == 1:
        result._strides, result._unsure = tensor._strides, tensor._unsure
    if kind.rank < 2:
        return result
    slopes = (lambda g: convert(g, old),)
    return record(result, "ToCopyBackward0", (tensor,), slopes)


# Sizes


def axis(dim, ndim):
    """A dimension, counted from 0."""
    only(type(dim) is int and ndim and abs(dim) < 2**63, f"dim={dim!r}")
    if not -ndim <= dim < ndim:
        raise IndexError(
            "Dimension out of range (expected to be in range of "
            f"[{-ndim}, {ndim - 1}], but got {dim})"
        )
    return dim % ndim


def size_of(name, sizes, least=0):
    """A size from arguments: f(2, 3), f((2, 3)), f([2, 3])."""
    only(sizes, f"{name} without a size")
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        (sizes,) = sizes
    right = all(type(size) is int and size >= least for size in sizes)
    only(right and prod(sizes) < 10**8, f"{name} with this size")
    return sized(sizes)


def new_shape(name, tensor, shape):
    """The shape that reshape or view is to give."""
    shape, total = size_of(name, shape, -1), tensor.numel()
    only(shape.count(-1) < 2 and total, f"{name} with this size")
    if -1 in shape:
        rest = -prod(shape)
        if rest and total % rest == 0:
            return sized([total // rest if s == -1 else s for s in shape])
    elif prod(shape) == total:
        return shape
    raise RuntimeError(
        f"shape '{list(shape)}' is invalid for input of size {total}"
    )


# Views


def expanded(tensor, shape):
    """A view that repeats elements, where there is one, to fill a shape."""
    extra = len(shape) - len(tensor._shape)
    old = (1,) * extra + tensor._shape
    pairs = zip(old, shape, strict=False)
    right = extra >= 0 and all(was in (1, now) for was, now in pairs)
    only(right, "expand to this size")
    steps = zip((0,) * extra + steps_of(tensor), old, shape, strict=True)
    strides = tuple(step * (was == now) for step, was, now in steps)
    return view(tensor, shape, strides, tensor._start)


def spread(tensor, shape):
    """The elements, repeated so that they fill a larger shape."""
    if tensor._shape != shape:
        tensor = expanded(tensor, shape)
    return elements(tensor)


def reshaped(tensor, shape):
    """A view of another shape, or if there is none a copy."""
    old, strides, step = tensor._shape, tensor._strides, step_of(tensor)
    slopes = (lambda g: reshaped(g, old),)
    if shape != old:
        if step is None:
            only(prod(old) in shape, "this shape of a turned table")
            copy = fresh(elements(tensor), shape, tensor._dtype)
            return record(copy, "UnsafeViewBackward0", (tensor,), slopes)
        strides = None
    plain = step == 1 or not (tensor._requires and MODE[0])
    only(plain, "a recorded reshape of this")
    seen = view(tensor, shape, strides, tensor._start)
    if strides is None and step != 1:
        seen._strides = tuple(step * s for s in steps_of(seen))
    return record(seen, "ViewBackward0", (tensor,), slopes)


def turned(matrix, name):
    """Rows as columns."""
    only(len(matrix._shape) == 2, "T but of two dimensions")
    shape, strides = matrix._shape[::-1], steps_of(matrix)[::-1]
    seen = view(matrix, shape, strides, matrix._start)
    return record(seen, name, (matrix,), (lambda g: turned(g, name),))


def part(tensor, dim, rows, name, keep=True):
    """A view of a range of rows or columns; or of one, a dimension less."""

    def cut(whole):
        shape, steps = whole._shape, steps_of(whole)
        start, step = whole._start + rows.start * steps[dim], steps[dim]
        here = ((len(rows),), (step * rows.step,)) if keep else ((), ())
        left = sized((*shape[:dim], *here[0], *shape[dim + 1 :]))
        if whole._strides is None and not dim and rows.step == 1:
            return left, None, start
        return left, (*steps[:dim], *here[1], *steps[dim + 1 :]), start

    def slope(gradient):  # zeros, but for these elements
        whole = full_of(0, old, gradient._dtype)
        store(view(whole, *cut(whole)), elements(gradient))
        return whole

    seen, old = view(tensor, *cut(tensor)), tensor._shape
    return record(seen, name, (tensor,), (slope,))


def select(tensor, dim, index, name="SelectBackward0", at=0):
    """One row of a tensor, or one column: a dimension less."""
    size = tensor._shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"index {index} is out of bounds for dimension {at} with size "
            f"{size}"
        )
    row = range(index % size, index % size + 1)
    return part(tensor, dim, row, name, keep=False)


for name in ("data", "device", "layout", "mT", "name", "names", "real"):
    refuse = partial(needs, f"Tensor.{name}")
    setattr(Tensor, name, property(refuse, refuse, refuse))
Tensor._as = convert
for name, made in [*vars(Tensor).items()]:
    if callable(made) and not name.startswith("_"):
        setattr(Tensor, name, known(made, name, Tensor))
