"""New tensors: from numbers, from sizes, from other tensors."""

import math
from array import array
from functools import reduce

from ._tensor import (
    FUNCTIONS,
    Tensor,
    axis,
    convert,
    elements,
    fresh,
    full_of,
    known,
    methods,
    part,
    record,
    size_of,
    store,
)
from ._types import (
    PYTHON,
    cast,
    check_dtype,
    float32,
    float64,
    int64,
    only,
    promoted,
    rounded,
    sized,
)


def function(made):
    """Make this torch.NAME."""
    FUNCTIONS[made.__name__] = known(made)
    return made


def options(dtype=None, device=None, requires_grad=False, **more):
    """Check what may be asked of a new tensor."""
    right = not more and device in (None, "cpu")
    right = right and type(requires_grad) is bool
    only(right, "these options")
    return check_dtype(dtype) or float32, requires_grad


def leaf(made, requires_grad):
    if requires_grad and made._dtype.rank != 2:
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require "
            "gradients"
        )
    return made.requires_grad_() if requires_grad else made


def numbers(value):
    """The numbers in nested lists, one behind the other; and the shape."""
    if not isinstance(value, (list, tuple, range)):
        single = isinstance(value, Tensor) and value.numel() == 1
        only(single or type(value) in PYTHON, "a tensor from this")
        return [value], ()
    parts = [numbers(one) for one in value]
    only(len({shape for _, shape in parts}) < 2, "lists of different lengths")
    inner = parts[0][1] if parts else ()
    return [x for found, _ in parts for x in found], (len(parts), *inner)


def from_numbers(data, kind):
    """A tensor of a dtype, or of the one that the numbers ask for."""
    found, shape = numbers(data)
    only(found or shape == (0,), "lists of this form")
    kinds = [PYTHON.get(type(x)) or x._dtype for x in found]
    least = reduce(promoted, kinds) if found else float32
    kind = kind or least
    only(kind.rank >= least.rank, f"{kind} of such lists")
    plain = [float(x) if isinstance(x, Tensor) else x for x in found]
    values = array(kind.code, [rounded(x, kind) for x in plain])
    return fresh(values, sized(shape), kind)


@function
def tensor(data, *, dtype=None, requires_grad=False):
    only(not isinstance(data, Tensor), "torch.tensor of a tensor")
    options(dtype, None, requires_grad)
    return leaf(from_numbers(data, dtype), requires_grad)


@function
def as_tensor(data, *, dtype=None):
    kind = check_dtype(dtype)
    if isinstance(data, Tensor):
        return convert(data, kind or data._dtype)
    return from_numbers(data, kind)


@function
def zeros(*size, **settings):
    kind, grad = options(**settings)
    return leaf(full_of(0, size_of("zeros", size), kind), grad)


@function
def ones(*size, **settings):
    kind, grad = options(**settings)
    return leaf(full_of(1, size_of("ones", size), kind), grad)


def like(name, number):
    """Make zeros_like or ones_like."""

    def made(input):
        right = isinstance(input, Tensor) and input._strides is None
        only(right and not input._unsure, f"this {name}")
        return full_of(number, input._shape, check_dtype(input._dtype))

    FUNCTIONS[name] = known(made, name)


like("zeros_like", 0)
like("ones_like", 1)


@function
def full(size, fill_value):
    right = isinstance(size, (tuple, list)) and type(fill_value) in PYTHON
    only(right, "full with these arguments")
    kind = PYTHON[type(fill_value)]
    return full_of(rounded(fill_value, kind), size_of("full", (size,)), kind)


def steps_from(first, by, n, code):
    """Numbers so far apart: from the first one, or from the nearest eighth."""
    only(by > 1e-30 and n < 2**24, "arange with this step")
    high = array("f", (by,))[0]
    low, wide, found = by - high, 8 if code == "f" else 4, array(code)
    whole = n - n % (2 * wide)
    for i in range(n):
        start, j = first, i
        if i < whole and i % wide:
            start, j = found[i - i % wide], i % wide
        found.append(math.fsum((start, high * j, low * j)))  # rounded once
    return found


@function
def arange(*ends, dtype=None, requires_grad=False):
    options(dtype, None, requires_grad)
    right = 0 < len(ends) < 4 and all(type(x) in (int, float) for x in ends)
    only(right, "arange with these arguments")
    start, end, step = (0, *ends, 1) if len(ends) == 1 else (*ends, 1)[:3]
    default = float32 if float in map(type, ends) else int64
    kind = dtype or default
    right = step > 0 and start <= end < math.inf and kind.rank >= default.rank
    only(right, "arange with these arguments")
    wide = float64 if kind.rank == 2 else kind
    first, by = rounded(start, wide), rounded(step, wide)
    spots = range(math.ceil((end - start) / step))
    if kind.rank < 2:
        data = array(kind.code, [first + by * i for i in spots])
    else:
        data = steps_from(first, by, len(spots), kind.code)
    return leaf(fresh(data, sized((len(spots),)), kind), requires_grad)


@function
def linspace(start, end, steps):
    right = type(start) in (int, float) and type(end) in (int, float)
    only(right and type(steps) is int and steps > 1, "linspace of these")
    first, last = rounded(start, float32), rounded(end, float32)
    by = rounded(rounded(last - first, float32) / (steps - 1), float32)
    values = [
        first + by * i if i < steps // 2 else last - by * (steps - i - 1)
        for i in range(steps)
    ]
    return fresh(array("f", values), sized((steps,)), float32)


@function
def eye(n, *, dtype=None):
    result = zeros(n, n, dtype=dtype)
    result._data[:: n + 1] = full_of(1, (n,), result._dtype)._data
    return result


def parts_of(name, tensors):
    right = isinstance(tensors, (tuple, list)) and tensors
    right = right and all(isinstance(one, Tensor) for one in tensors)
    only(right, f"{name} but of a list of tensors")
    return list(tensors)


def joined(parts, shape, dim, places, name, keep=True):
    """Put each tensor in its rows or columns of a new one."""
    kind = reduce(promoted, [one._dtype for one in parts])
    whole, slopes = full_of(0, shape, kind), []
    for one, rows in zip(parts, places, strict=True):
        values = cast(elements(one), one._dtype, kind)
        store(part(whole, dim, rows, "", keep), values)
        slopes.append(taken(dim, rows, name, keep))
    return record(whole, name, parts, slopes)


def taken(dim, rows, name, keep):
    """What one of several tensors gets of the gradient of the whole."""
    return lambda g: part(g, dim, rows, name, keep)


@function
def cat(tensors, dim=0):
    parts, places, start = parts_of("cat", tensors), [], 0
    model = parts[0]._shape
    right = all(one._shape and one.numel() for one in parts)
    only(right, "cat of numbers or of nothing")
    dim = axis(dim, len(model))
    for i, one in enumerate(parts):
        if len(one._shape) != len(model):
            raise RuntimeError(
                "Tensors must have same number of dimensions: got "
                f"{len(model)} and {len(one._shape)}"
            )
        for j, (a, b) in enumerate(zip(model, one._shape, strict=True)):
            if j != dim and a != b:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. "
                    f"Expected size {a} but got size {b} for tensor number "
                    f"{i} in the list."
                )
        places.append(range(start, start + one._shape[dim]))
        start += one._shape[dim]
    shape = sized((*model[:dim], start, *model[dim + 1 :]))
    return joined(parts, shape, dim, places, "CatBackward0")


@function
def stack(tensors, dim=0):
    parts = parts_of("stack", tensors)
    first = parts[0]._shape
    dim = axis(dim, len(first) + 1)
    only(all(one._shape == first for one in parts), "stack of these shapes")
    places = [range(i, i + 1) for i in range(len(parts))]
    shape = sized((*first[:dim], len(parts), *first[dim:]))
    return joined(parts, shape, dim, places, "StackBackward0", keep=False)


@methods
class Parts:
    """Functions that take a tensor apart, or repeat it."""

    def split(self, split_size, dim=0):
        sizes, name, start, parts = split_size, "", 0, []
        only(type(dim) is int and self.numel(), "split of nothing")
        if type(sizes) is not int:
            sizes, name = size_of("split", (sizes,)), "WithSizes"
        only(type(sizes) is not int or sizes > 0, "split of this size")
        dim = axis(dim, len(self._shape))
        total = self._shape[dim]
        if type(sizes) is int:
            starts = range(0, total, sizes)
            sizes = [min(split_size, total - start) for start in starts]
        only(sum(sizes) == total, "split of these sizes")
        for size in sizes:
            rows = range(start, start + size)
            parts.append(part(self, dim, rows, f"Split{name}Backward0"))
            start += size
        return tuple(parts)

    def flip(self, dim):
        right = len(self._shape) == 1 and not self._requires
        right = right and type(dim) is int and dim == 0
        only(right, "flip but of one dimension")
        return fresh(elements(self)[::-1], self._shape, self._dtype)

    def repeat_interleave(self, repeats=None, dim=None):
        right = type(repeats) is int and repeats > 0 and not self._requires
        right = right and type(dim) is int and len(self._shape) == 2
        only(right and dim == 1, "this repeat_interleave")
        (rows, columns), values = self._shape, elements(self)
        data = array(values.typecode, [0]) * (len(values) * repeats)
        for k in range(repeats):
            data[k::repeats] = values
        return fresh(data, sized((rows, columns * repeats)), self._dtype)
