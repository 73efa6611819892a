"""New tensors: from numbers, from sizes, from other tensors."""

import math
import warnings
from array import array
from functools import reduce
from math import prod

from ._tensor import (
    FUNCTIONS,
    Tensor,
    api,
    axis,
    convert,
    cut,
    elements,
    fresh,
    known,
    part_of,
    record,
    size_of,
)
from ._types import (
    PYTHON,
    Size,
    bool_,
    check_dtype,
    fitting,
    float32,
    int64,
    only,
    promoted,
    rounded,
)

COPY = (
    "To copy construct from a tensor, it is recommended to use "
    "sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than "
    "torch.tensor(sourceTensor)."
)


def function(made):
    FUNCTIONS[made.__name__] = known(made.__name__, made)
    return made


def type_of(value):
    """The dtype that a number or a nested list asks for."""
    if isinstance(value, (list, tuple, range)):
        return reduce(promoted, map(type_of, value)) if value else float32
    if isinstance(value, Tensor):
        return value._dtype
    only(type(value) in PYTHON, f"a tensor from {type(value).__name__}")
    return PYTHON[type(value)]


def sizes_of(value):
    sizes = []
    while isinstance(value, (list, tuple, range)):
        sizes.append(len(value))
        value = value[0] if value else None
    return Size(sizes)


def fill(value, sizes, kind, into):
    """Write nested lists one behind the other."""
    if sizes:
        only(isinstance(value, (list, tuple, range)), "lists of this form")
        if len(value) != sizes[0]:
            raise ValueError(
                f"expected sequence of length {sizes[0]} at dim "
                f"{into.dim - len(sizes)} (got {len(value)})"
            )
        for part in value:
            fill(part, sizes[1:], kind, into)
    elif isinstance(value, Tensor):
        only(kind.rank == 2 or value._dtype is kind, "this list of tensors")
        into.append(rounded(value._number(), kind))
    else:
        only(isinstance(value, (int, float)), "lists of this form")
        into.append(rounded(value, kind))


class Values(list):
    dim = 0


def from_numbers(data, kind):
    found, sizes = type_of(data), sizes_of(data)
    kind, values = kind or found, Values()
    values.dim = len(sizes)
    only(prod(sizes) or len(sizes) < 2, "nested lists of nothing")
    fill(data, sizes, kind, values)
    return fresh(array(kind.code, values), sizes, kind)


@function
def tensor(data, *, dtype=None, requires_grad=False):
    kind = check_dtype(dtype)
    if isinstance(data, Tensor):
        warnings.warn(COPY, stacklevel=3)
        made = data.detach().clone()
        made = convert(made, kind or made._dtype)
    else:
        made = from_numbers(data, kind)
    return made.requires_grad_() if grad(requires_grad) else made


def grad(requires_grad):
    only(type(requires_grad) is bool, "this requires_grad")
    return requires_grad


@function
def as_tensor(data, dtype=None):
    kind = check_dtype(dtype)
    if isinstance(data, Tensor):
        return convert(data, kind or data._dtype)
    return from_numbers(data, kind)


def sized(name, sizes):
    """A size that is not negative."""
    shape = size_of(name, sizes)
    only(min(shape, default=0) >= 0, f"{name} with a negative size")
    return shape


def check_options(dtype, device, default=float32):
    only(device is None or device == "cpu", f"device {device!r}")
    return check_dtype(dtype) or default


def filled(name, number):
    """Make zeros or ones, and those like another tensor."""

    def made(*size, dtype=None, device=None, requires_grad=False):
        kind, shape = check_options(dtype, device), sized(name, size)
        data = array(kind.code, (number,)) * prod(shape)
        result = fresh(data, shape, kind)
        return result.requires_grad_() if grad(requires_grad) else result

    def like(input, *, dtype=None, requires_grad=False):
        only(isinstance(input, Tensor), f"{name}_like but of a tensor")
        kind = check_dtype(dtype) or input._dtype
        result = convert(input._like(number), kind)
        result._turned = fresh(None, (), kind, input)._turned
        return result.requires_grad_() if grad(requires_grad) else result

    made.__name__, like.__name__ = name, f"{name}_like"
    function(made)
    function(like)


filled("zeros", 0)
filled("ones", 1)


@function
def full(size, fill_value, *, dtype=None):
    only(isinstance(size, (tuple, list)), "full with this size")
    only(type(fill_value) in PYTHON, "full with this value")
    kind = check_dtype(dtype) or PYTHON[type(fill_value)]
    shape = sized("full", (size,))
    data = array(kind.code, (fitting(fill_value, kind),)) * prod(shape)
    return fresh(data, shape, kind)


@function
def arange(*ends, dtype=None, requires_grad=False):
    right = 1 <= len(ends) <= 3 and all(type(x) in (int, float) for x in ends)
    only(right, "arange with these arguments")
    start, end, step = (0, *ends, 1) if len(ends) == 1 else (*ends, 1)[:3]
    right = step != 0 and (end - start) * step >= 0
    only(right and math.isfinite(end - start), "arange with these ends")
    default = float32 if float in map(type, ends) else int64
    kind = check_dtype(dtype) or default
    only(
        kind is not bool_ and kind.rank >= default.rank, "arange of this type"
    )
    n = math.ceil((end - start) / step)
    first, by = rounded(start, kind), rounded(step, kind)
    data = array(kind.code, [first + by * i for i in range(n)])
    result = fresh(data, Size((n,)), kind)
    return result.requires_grad_() if grad(requires_grad) else result


@function
def linspace(start, end, steps, *, dtype=None):
    right = type(start) in (int, float) and type(end) in (int, float)
    kind = check_dtype(dtype) or float32
    right = right and type(steps) is int and steps > 1 and kind.rank == 2
    only(right, "linspace with these arguments")
    first, last = fitting(start, kind), fitting(end, kind)
    by = rounded((last - first) / (steps - 1), kind)
    values = [
        first + by * i if i < steps // 2 else last - by * (steps - i - 1)
        for i in range(steps)
    ]
    return fresh(array(kind.code, values), Size((steps,)), kind)


@function
def eye(n, *, dtype=None):
    kind = check_dtype(dtype) or float32
    only(type(n) is int and n >= 0, "eye with this size")
    values = [i == j for i in range(n) for j in range(n)]
    return fresh(array(kind.code, values), Size((n, n)), kind)


def parts_of(name, tensors):
    right = isinstance(tensors, (tuple, list)) and tensors
    right = right and all(isinstance(part, Tensor) for part in tensors)
    only(right, f"{name} but of a list of tensors")
    return list(tensors)


@function
def cat(tensors, dim=0):
    parts = parts_of("cat", tensors)
    model = parts[0]._shape
    for i, part in enumerate(parts):
        only(part._shape not in ((), (0,)), "cat of numbers or of nothing")
        if len(part._shape) != len(model):
            raise RuntimeError(
                "Tensors must have same number of dimensions: got "
                f"{len(model)} and {len(part._shape)}"
            )
        place = axis(dim, len(model))
        for j, (a, b) in enumerate(zip(model, part._shape, strict=True)):
            if j != place and a != b:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {place}."
                    f" Expected size {a} but got size {b} for tensor number "
                    f"{i} in the list."
                )
    kind = reduce(promoted, [part._dtype for part in parts])
    blocks, slopes, start = [], [], 0
    for part in parts:
        values = elements(convert(part.detach(), kind))
        blocks.append((values, prod(part._shape[place:])))
        slopes.append(piece(place, start, part._shape[place]))
        start += part._shape[place]
    data = array(kind.code)
    for i in range(prod(model[:place])):
        for values, block in blocks:
            data += values[i * block : i * block + block]
    shape = Size((*model[:place], start, *model[place + 1 :]))
    return record(fresh(data, shape, kind), "CatBackward0", parts, slopes)


def piece(dim, start, size):
    """What a part of a longer tensor gets of its gradient."""
    place = (slice(None),) * dim + (slice(start, start + size),)
    return lambda g: g[place]


@function
def stack(tensors, dim=0):
    parts = parts_of("stack", tensors)
    first = parts[0]._shape
    dim = axis(dim, len(first) + 1)
    for i, part in enumerate(parts):
        if part._shape != first:
            raise RuntimeError(
                "stack expects each tensor to be equal size, but got "
                f"{list(first)} at entry 0 and {list(part._shape)} at entry "
                f"{i}"
            )
    shape = (*first[:dim], 1, *first[dim:])
    result = cat([part.detach().reshape(shape) for part in parts], dim)
    slopes = [row(dim, i) for i in range(len(parts))]
    return record(result, "StackBackward0", parts, slopes)


def row(dim, i):
    place = (*(slice(None),) * dim, i)
    return lambda g: g[place]


@api("split")
def split(self, split_size, dim=0):
    only(self._shape and type(dim) is int, "split of this")
    dim = axis(dim, len(self._shape))
    total, shape = self._shape[dim], self._shape
    if type(split_size) is int:
        only(split_size > 0 and total, "split of this size")
        starts = range(0, total, split_size)
        sizes, name = [min(split_size, total - i) for i in starts], ""
    else:
        sizes, name = sized("split", (split_size,)), "WithSizes"
        only(sum(sizes) == total, "split of these sizes")
    parts, start, inner = [], 0, prod(shape[dim + 1 :])
    for size in sizes:
        part = slice(start, start + size)
        left = (*shape[:dim], size, *shape[dim + 1 :])
        pick = lambda p, part=part: cut(p, total, inner, part)  # noqa: E731
        parts.append(part_of(self, left, pick, f"Split{name}Backward0"))
        start += size
    return tuple(parts)


@api("flip")
def flip(self, dim):
    right = len(self._shape) == 1 and dim == 0 and not self._requires
    only(right, "flip but of one dimension")
    return fresh(elements(self)[::-1], self._shape, self._dtype)


@api("repeat_interleave")
def repeat_interleave(self, repeats, dim=0):
    right = type(repeats) is int and repeats > 0 and not self._requires
    last = len(self._shape) - 1
    only(right and axis(dim, last + 1) == last, "this repeat_interleave")
    values = elements(self)
    data = array(values.typecode, [0]) * (len(values) * repeats)
    for k in range(repeats):
        data[k::repeats] = values
    shape = Size((*self._shape[:-1], self._shape[-1] * repeats))
    return fresh(data, shape, self._dtype)
