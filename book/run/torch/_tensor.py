"""Tensors: numbers in an `array`, and views that share them."""

import warnings
from array import array
from functools import wraps
from itertools import pairwise
from math import prod

from . import autograd
from ._modes import INFERENCE
from ._printing import text
from ._types import (
    Partial,
    Size,
    bool_,
    cast,
    float32,
    float64,
    int32,
    int64,
    needs,
    only,
)
from .autograd import record

FUNCTIONS = {}  # what torch.NAME is
LEAF = " leaf Variable that requires grad is being used in an in-place "


class Tensor(Partial):
    """Elements of one type, in rows and columns or any number of dimensions.

    A fresh tensor has its `_data` for itself. A view shares those of another:
    its `_places` say where its elements are. `_version` counts the changes
    that all of them see.
    """

    _places = _base = _node = _grad = None
    _hooks = ()
    _requires = _inference = _turned = False
    shape = property(lambda self: self._shape)
    dtype = property(lambda self: self._dtype)
    ndim = property(lambda self: len(self._shape))
    requires_grad = property(lambda self: self._requires)
    is_leaf = property(lambda self: self._node is None)
    data = property(
        lambda self: needs("Tensor.data"), lambda *_: needs("data")
    )
    __hash__ = object.__hash__

    def __init__(self, *args, **kwargs):
        needs("torch.Tensor(...): torch.tensor makes tensors")

    def numel(self):
        return prod(self._shape)

    def stride(self):
        only(not self._turned, "stride of this result")
        places, step, strides = self._places or range(self.numel()), 1, []
        for size in reversed(self._shape):
            fine = self._places is None or (places and size > 1)
            only(fine, "stride of this view")
            many = len(places) > step and size > 1
            strides.append(places[step] - places[0] if many else step)
            step *= size or 1
        return tuple(strides[::-1])

    def is_floating_point(self):
        return self._dtype.rank == 2

    def is_inference(self):
        return self._inference

    # Gradients

    @requires_grad.setter
    def requires_grad(self, wanted):
        only(type(wanted) is bool and self._node is None, "this requires_grad")
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad=True):
        only(type(requires_grad) is bool, "requires_grad_ with this argument")
        only(requires_grad or self._node is None, "requires_grad_(False) here")
        if requires_grad and self._dtype.rank != 2:
            raise RuntimeError(
                "only Tensors of floating point dtype can require gradients"
            )
        if self._node is None:
            self._base = None  # now it is what others are views of
        self._requires = requires_grad
        return self

    @property
    def grad_fn(self):
        if self._base is not None and self._node is not None:
            same = self._version[0] == self._node.at
            only(same, "grad_fn of a view that was changed")
        return self._node

    @property
    def grad(self):
        only(self._node is None, "grad of a result")
        return self._grad

    @grad.setter
    def grad(self, gradient):
        if gradient is not None:
            right = isinstance(gradient, Tensor) and gradient is not self
            right = right and gradient._dtype is self._dtype
            only(right and gradient._shape == self._shape, "this grad")
        self._grad = gradient

    def backward(self, gradient=None, retain_graph=None):
        autograd.backward(self, gradient, retain_graph)

    def register_hook(self, hook):
        only(self._requires and self._node is None, "register_hook of this")
        self._hooks = [*self._hooks, hook]

    def detach(self):
        seen = view(self, self._shape, self._places)
        seen._base = None
        return seen

    # What Python asks

    def __repr__(self):
        return text(self)

    def __len__(self):
        if not self._shape:
            raise TypeError("len() of a 0-d tensor")
        return self._shape[0]

    def __iter__(self):
        if not self._shape:
            raise TypeError("iteration over a 0-d tensor")
        rows = range(self._shape[0])
        return iter([select(self, 0, i, "UnbindBackward0") for i in rows])

    def __bool__(self):
        if self.numel() != 1:
            many = "more than one value" if self.numel() else "no values"
            raise RuntimeError(
                f"Boolean value of Tensor with {many} is ambiguous"
            )
        return bool(elements(self)[0])

    def __float__(self):
        return float(self._number())

    def __int__(self):
        return int(self._number())

    def __index__(self):
        if self._dtype.rank == 2 or self.numel() != 1:
            raise TypeError(
                "only integer tensors of a single element can be converted "
                "to an index"
            )
        return int(self.item())

    def _number(self):
        if self.numel() != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars"
            )
        if self._requires:
            warnings.warn(TO_SCALAR, stacklevel=3)
        return self.item()

    def __format__(self, how):
        if self._shape:
            return object.__format__(self, how)
        return format(self.item(), how)

    def __contains__(self, element):
        only(isinstance(element, (int, float)), "in with this")
        return bool((self == element).any())

    def __array__(self, *args, **kwargs):
        needs("NumPy")

    def numpy(self):
        if self._requires:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use "
                "tensor.detach().numpy() instead."
            )
        needs("NumPy")

    def item(self):
        if self.numel() != 1:
            raise RuntimeError(
                f"a Tensor with {self.numel()} elements cannot be converted "
                "to Scalar"
            )
        (value,) = elements(self)
        return bool(value) if self._dtype is bool_ else value

    def tolist(self):
        values = elements(self).tolist()
        if self._dtype is bool_:
            values = list(map(bool, values))
        return nested(values, self._shape)

    # Other types and shapes

    def _as(self, kind):
        return convert(self, kind)

    def double(self):
        return convert(self, float64)

    def float(self):
        return convert(self, float32)

    def long(self):
        return convert(self, int64)

    def int(self):
        return convert(self, int32)

    @property
    def T(self):
        return turned(self, "PermuteBackward0")

    def reshape(self, *shape):
        return reshaped(self, new_shape("reshape", self, shape))

    def view(self, *shape):
        only(not self._turned, "view of this result")
        shape = new_shape("view", self, shape)
        if shape != self._shape and not in_order(self):
            raise RuntimeError(
                "view size is not compatible with input tensor's size and "
                "stride (at least one dimension spans across two contiguous "
                "subspaces). Use .reshape(...) instead."
            )
        return reshaped(self, shape)

    def flatten(self):
        return self if len(self._shape) == 1 else self.reshape(-1)

    def expand(self, *sizes):
        sizes = size_of("expand", sizes)
        old, extra = self._shape, len(sizes) - len(self._shape)
        wrong = extra < 0 or min(sizes, default=0) < -1 or -1 in sizes[:extra]
        only(not wrong, "expand to this size")
        shape = list(sizes)
        for i, was in enumerate(old, extra):
            size = shape[i] = was if sizes[i] == -1 else sizes[i]
            if was not in (1, size):
                raise RuntimeError(
                    f"The expanded size of the tensor ({size}) must match the "
                    f"existing size ({was}) at non-singleton dimension {i}.  "
                    f"Target sizes: {list(sizes)}.  Tensor sizes: {list(old)}"
                )
        places = spread(list(places_of(self)), old, shape)
        seen = view(self, Size(shape), places)
        return record(seen, "ExpandBackward0", (self,), (lambda g: g,))

    def _like(self, number):
        """A tensor of this shape and type, full of one number."""
        data = array(self._dtype.code, (number,)) * self.numel()
        return fresh(data, self._shape, self._dtype)


TO_SCALAR = (
    "Converting a tensor with requires_grad=True to a scalar may lead to "
    "unexpected behavior.\nConsider using tensor.detach() first."
)


def fresh(data, shape, kind, *inputs):
    """A new tensor of these elements, in order.

    PyTorch keeps the results of transposed inputs transposed.
    """
    tensor = object.__new__(Tensor)
    tensor._data, tensor._shape, tensor._dtype = data, shape, kind
    tensor._version = [0]
    if INFERENCE[0]:
        tensor._inference = True
    for t in inputs if len(shape) > 1 else ():
        if type(t) is Tensor and (t._turned or not in_order(t)):
            tensor._turned = True
    return tensor


def view(tensor, shape, places):
    """Another tensor with the same elements, or some of them."""
    seen = object.__new__(Tensor)
    seen._data, seen._shape, seen._dtype = tensor._data, shape, tensor._dtype
    seen._version, seen._places = tensor._version, places
    seen._base = tensor if tensor._base is None else tensor._base
    seen._inference, seen._turned = tensor._inference, tensor._turned
    return seen


MARK = fresh(array("q"), Size((0,)), int64)  # "something was saved"


def places_of(tensor):
    """Where in `_data` the elements are: a range if they follow a step."""
    places = tensor._places
    return range(tensor.numel()) if places is None else places


def elements(tensor):
    """The elements in order, as an array; not to be changed."""
    data, places = tensor._data, tensor._places
    if places is None:
        return data
    if type(places) is range:
        return data[places.start : places.stop : places.step]
    return array(data.typecode, [data[i] for i in places])


def store(tensor, values):
    """Write new elements where the old ones are."""
    data, places = tensor._data, tensor._places
    if places is None:
        data[:] = values
    else:
        for place, value in zip(places, values, strict=True):
            data[place] = value
    tensor._version[0] += 1


def in_order(tensor):
    """Whether the elements follow one another in even steps."""
    places = places_of(tensor)
    if type(places) is range or len(places) < 3:
        return True
    step = places[1] - places[0]
    return all(b - a == step for a, b in pairwise(places))


def spread(values, old, new):
    """Repeat elements so that they fill a larger shape."""
    old, new, step = (1,) * (len(new) - len(old)) + tuple(old), tuple(new), 1
    if old == new or 0 in new:
        return values[: prod(new)]
    if len(values) == 1:
        return values * prod(new)
    for i in reversed(range(len(new))):  # blocks of `step` elements each
        if old[i] == 1 != new[i]:
            blocks = range(0, len(values), step)
            blocks = [values[k : k + step] * new[i] for k in blocks]
            values = values[:0]
            for block in blocks:
                values += block
        step *= new[i]
    return values


def nested(values, shape):
    """Lists in lists, as deep as the shape is long."""
    if len(shape) < 2:
        return values if shape else values[0]
    step = prod(shape[1:])
    rows = range(0, shape[0] * step, step) if step else [0] * shape[0]
    return [nested(values[i : i + step], shape[1:]) for i in rows]


def axis(dim, ndim):
    """A dimension, counted from 0."""
    only(type(dim) is int, f"dim={dim!r}")
    high = max(ndim, 1)
    if not -high <= dim < high:
        raise IndexError(
            "Dimension out of range (expected to be in range of "
            f"[{-high}, {high - 1}], but got {dim})"
        )
    return dim % high


def size_of(name, sizes):
    """A size from arguments: f(2, 3), f((2, 3)), f([2, 3])."""
    only(sizes, f"{name} without a size")
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        (sizes,) = sizes
    for size in sizes:
        only(type(size) is int, f"{name} with a size that is no integer")
    return Size(sizes)


def new_shape(name, tensor, shape):
    """The shape that reshape or view is to give."""
    shape, total = size_of(name, shape), tensor.numel()
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    only(min(shape, default=0) >= -1, f"{name} with a negative size")
    if -1 in shape:
        rest = -prod(shape)
        only(rest or total, f"{name} of nothing")
        if rest and total % rest == 0:
            return Size([total // rest if s == -1 else s for s in shape])
    elif prod(shape) == total:
        return shape
    raise RuntimeError(
        f"shape '{list(shape)}' is invalid for input of size {total}"
    )


def reshaped(tensor, shape):
    """A view of another shape, or if there is none a copy."""
    old = tensor._shape
    slopes = (lambda g: reshaped(g, old),)
    if shape == old or (in_order(tensor) and not tensor._turned):
        seen = view(tensor, shape, tensor._places)
        places = places_of(tensor)
        plain = type(places) is range and places.step == 1
        only(plain or not tensor._requires, "the gradient of this reshape")
        return record(seen, "ViewBackward0", (tensor,), slopes)
    copy = fresh(elements(tensor)[:], shape, tensor._dtype)
    return record(copy, "UnsafeViewBackward0", (tensor,), slopes)


def turned(matrix, name):
    """Rows as columns."""
    only(len(matrix._shape) == 2, "T but of two dimensions")
    (rows, columns), places = matrix._shape, places_of(matrix)
    if rows > 1 and columns > 1:
        places = [i for j in range(columns) for i in places[j::columns]]
    seen = view(matrix, Size((columns, rows)), places)
    return record(seen, name, (matrix,), (lambda g: turned(g, name),))


def part_of(tensor, shape, pick, name):
    """A view of some elements; `pick` takes them from a list of all."""
    seen, old = (
        view(tensor, Size(shape), pick(places_of(tensor))),
        tensor._shape,
    )

    def slope(gradient):
        return placed(gradient, old, pick(range(prod(old))))

    return record(seen, name, (tensor,), (slope,))


def select(tensor, dim, index, name="SelectBackward0"):
    """One row of a tensor, or one column: a dimension less."""
    shape = tensor._shape
    size, inner = shape[dim], prod(shape[dim + 1 :])
    if not -size <= index < size:
        raise IndexError(
            f"index {index} is out of bounds for dimension {dim} with size "
            f"{size}"
        )
    part = slice(index % size, index % size + 1)
    rest = shape[:dim] + shape[dim + 1 :]
    return part_of(tensor, rest, lambda p: cut(p, size, inner, part), name)


def cut(places, size, inner, part):
    """Of groups of `size` blocks of `inner` places, some blocks."""
    start, stop, step = part.indices(size)
    if inner == 1 and size and (stop - start == 1 or len(places) == size):
        if len(places) == size:
            return places[start:stop:step]
        return places[start::size]
    block = size * inner
    if len(places) == block and step == 1:
        return places[start * inner : max(start, stop) * inner]
    return [
        place
        for group in range(0, len(places), block or 1)
        for i in range(start, stop, step)
        for place in places[group + i * inner : group + i * inner + inner]
    ]


def placed(part, shape, spots):
    """A tensor of zeros, but for these elements: the gradient of a part."""
    data = array(part._dtype.code, (0,)) * prod(shape)
    for spot, value in zip(spots, elements(part), strict=True):
        data[spot] += value
    old = part._shape
    slopes = (lambda g: taken(g, spots, old, "SelectBackward0"),)
    whole = fresh(data, shape, part._dtype)
    return record(whole, "SelectBackwardBackward0", (part,), slopes)


def taken(tensor, spots, shape, name):
    """A copy of these elements."""
    values, old = elements(tensor), tensor._shape
    data = array(values.typecode, [values[spot] for spot in spots])
    result = fresh(data, shape, tensor._dtype)
    slopes = (lambda g: placed(g, old, spots),)
    return record(result, name, (tensor,), slopes, (MARK,))


def convert(tensor, kind):
    """The same numbers in another type."""
    old = tensor._dtype
    if kind is old:
        return tensor
    data = cast(elements(tensor), old, kind)
    result = fresh(data, tensor._shape, kind, tensor)
    if kind.rank < 2:
        return result
    slopes = (lambda g: convert(g, old),)
    return record(result, "ToCopyBackward0", (tensor,), slopes)


def known(name, function):
    """Refuse arguments that a function does not know: PyTorch may."""
    code = function.__code__
    names = {*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]}
    most = 99 if code.co_flags & 4 else code.co_argcount

    @wraps(function)
    def method(*args, **kwargs):
        if len(args) > most or (kwargs and not kwargs.keys() <= names):
            needs(f"{name} with this argument")
        return function(*args, **kwargs)

    return method


def api(name, function=None):
    """Make a function a method of Tensor, and a function of torch."""
    if function is None:
        return lambda function: api(name, function)
    method = known(name, function)

    @wraps(function)
    def checked(*args, **kwargs):
        only(not args or isinstance(args[0], Tensor), f"{name} but of tensors")
        return method(*args, **kwargs)

    setattr(Tensor, name, method)
    FUNCTIONS[name] = checked
    return function


for name, made in [*vars(Tensor).items()]:
    if callable(made) and not name.startswith("_"):
        setattr(Tensor, name, known(name, made))
