"""What makes few numbers of many: sums, means, extremes, order.

PyTorch adds numbers in an order of its own, several sums side by side; each
sum is rounded, so the order is kept here.
"""

import math
import operator
from array import array
from collections import namedtuple
from itertools import chain
from math import prod

from ._tensor import (
    Tensor,
    axis,
    elements,
    expanded,
    fresh,
    full_of,
    method,
    methods,
    record,
    step_of,
    steps_of,
    turned,
)
from ._types import bool_, held, int64, needs, only, sized

UNSAID = object()  # None is said
AT_ONCE = {"f": 8, "d": 4}  # how many numbers a processor adds


def plus(one, two):
    """The sums of pairs, each rounded."""
    return array(one.typecode, map(operator.add, one, two))


def cascade(rows, blank):
    """Add rows as ATen does: so many, then so many such sums, and so on."""
    if not rows:
        return blank
    step, levels = 1 << max(4, (len(rows) - 1).bit_length() // 4), [blank] * 4
    for i, row in enumerate(rows, 1):
        levels[0] = plus(levels[0], row)
        for j in range(3):
            if i % step ** (j + 1):
                break
            levels[j + 1] = plus(levels[j + 1], levels[j])
            levels[j] = blank
    total = levels[0]
    for level in levels[1:]:
        total = plus(total, level)
    return total


def lanes(values, width):
    """The sums of a table's columns: of four rows side by side, then all."""
    block = 4 * width
    four, blank = len(values) // block * block, array(values.typecode, [0])
    rows = [values[i : i + block] for i in range(0, four, block)]
    sums = cascade(rows, blank * block)
    total = sums[:width]
    for i in range(four, len(values), width):
        total = plus(total, values[i : i + width])
    for i in range(width, block, width):
        total = plus(total, sums[i : i + width])
    return total


def in_turn(values):
    """The sum of an array, one number after the other."""
    total = array(values.typecode, (0,))
    for x in values:
        total[0] += x
    return total[0]


def line(values, step):
    """The sum of numbers that lie so many places apart in memory."""
    width, n = AT_ONCE[values.typecode], len(values)
    if step != 1 or n < width:
        return lanes(values, 1)[0]
    whole = n // width * width
    return in_turn(values[whole:] + lanes(values[:whole], width))


def down(values, width, step):
    """The sums of a table's columns, so many side by side as there is room."""
    wide, found, j = AT_ONCE[values.typecode], values[:0], 0
    wide = wide if step == 1 and width >= wide else 1
    for size in (4 * wide, wide, 1):
        while j + size <= width:
            starts = range(j, len(values), width)
            rows = [values[i : i + size] for i in starts]
            if size == 4 * wide:
                found += cascade(rows, array(values.typecode, [0]) * size)
            else:
                found += lanes(array(values.typecode, chain(*rows)), size)
            j += size
    return found


def sums(self, dim):
    """The sums of all, or along a dimension: in the order of the memory."""
    shape, n, code = self._shape, self.numel(), self._dtype.code
    if self._dtype.rank < 2 or not n:
        return [sum(row) for row in groups(self, dim)]
    whole = dim is None or n == shape[dim]
    if whole and self._strides is None:
        return [line(elements(self), 1)]
    self, steps = self.detach(), steps_of(self)
    right = any(steps) <= all(steps) or 1 in shape
    only(right, "sums of this result")
    if whole and len(shape) == 2 and steps[0] < steps[1]:
        self, steps = turned(self, ""), steps[::-1]
    if whole:
        step = step_of(self)
        apart = step is None and steps[0] != self._shape[1] * steps[1]
        rows = groups(self, 1 if apart else None)
        step = steps[-1] if step is None else step
        return [in_turn(array(code, [line(row, step) for row in rows]))]
    step, other = steps[dim], steps[1 - dim]
    if step == 1 or step < other:
        return [line(row, step) for row in groups(self, dim)]
    across = self if dim == 0 else turned(self, "")
    return down(elements(across), across._shape[1], other)


def axes(name, self, dim, keepdim=UNSAID):
    """The dimension that goes, or None; and the shape that is left."""
    if dim is UNSAID:
        only(keepdim is UNSAID, f"{name} with keepdim and without dim")
        return None, sized()
    keepdim = False if keepdim is UNSAID else keepdim
    only(type(keepdim) is bool, f"{name} with this keepdim")
    shape, dim = self._shape, axis(dim, len(self._shape))
    return dim, sized((*shape[:dim], *(1,) * keepdim, *shape[dim + 1 :]))


def groups(self, dim):
    """The elements that belong together, as a list of arrays."""
    values, width = elements(self), self._shape[-1] if self._shape else 1
    if dim is None or len(self._shape) == 1:
        return [values]
    if dim == 0:
        return [values[j::width] for j in range(width)]
    rows = range(self._shape[0])
    return [values[i * width : i * width + width] for i in rows]


def stretched(gradient, shape, dim):
    """Give the gradient of a sum to each of its terms."""
    if dim is not None:
        gradient = gradient.reshape(*shape[:dim], 1, *shape[dim + 1 :])
    return expanded(gradient, shape)


def sum_to(self, shape):
    """Undo broadcasting: add up what came from one number."""
    extra = len(self._shape) - len(shape)
    if prod(shape) == 1:
        return self.sum().reshape(shape)
    for i in reversed(range(len(self._shape))):
        if i < extra or (shape[i - extra] == 1 != self._shape[i]):
            self = self.sum(dim=i, keepdim=True)
    return self.reshape(shape)


class Pair(namedtuple("Pair", ["values", "indices"])):
    """What sort and median return."""

    __slots__ = ()

    def __repr__(self):
        needs("printing of pairs")


def variances(self, dim, correction):
    """The variances of all, or along a dimension; and their shape."""
    right = type(correction) is int and self._dtype.rank == 2
    only(right, "var or std of this, or with this correction")
    dim, left = axes("var", self, dim)
    n, found = self.numel() if dim is None else self._shape[dim], []
    right = n > correction >= 0 and self.numel() and not self._requires
    only(right and self.isfinite().all(), "var or std of this")
    for row in groups(self, dim):
        center, total = 0.0, 0.0
        if dim is None or len(self._shape) == 1:
            center = self.mean().item()
            total = in_turn(array("d", [(x - center) ** 2 for x in row]))
        else:  # Welford, 1962: of the row so far
            for i, x in enumerate(row, 1):
                rest = x - center
                center += rest / i
                total += rest * (x - center)
        found.append(total / (n - correction))
    return found, left


def extreme(name, choose):
    """Make max or min, and argmax or argmin."""

    def value(self):
        row = elements(self)
        only(row and not self._requires, f"{name} of this")
        found = choose(row) if all(x == x for x in row) else math.nan
        only(len({str(x) for x in row if x == found}) < 2, "which 0 it is")
        return full_of(found, sized(), self._dtype)

    def argument(self):
        row = elements(self)
        right = row and self._dtype is not bool_
        only(right and all(x == x for x in row), f"arg{name} of this")
        return full_of(row.index(choose(row)), sized(), int64)

    method(name, value)
    method("arg" + name, argument)


extreme("max", max)
extreme("min", min)


@methods
class Sums:
    """Functions of all elements, or of those along a dimension."""

    def sum(self, dim=UNSAID, keepdim=UNSAID):
        name = f"SumBackward{int(dim is not UNSAID)}"
        dim, left = axes("sum", self, dim, keepdim)
        shape, kind = self._shape, self._dtype
        kind = kind if kind.rank == 2 else int64
        data = held(sums(self, dim), kind.code)
        slopes = (lambda g: stretched(g, shape, dim),)
        return record(fresh(data, left, kind), name, (self,), slopes)

    def mean(self, dim=UNSAID, keepdim=UNSAID):
        if self._dtype.rank < 2:
            only(dim is UNSAID is keepdim, "mean of integers")
            raise NotImplementedError(
                "mean(): could not infer output dtype. Input dtype must be "
                "either a floating point or complex dtype. Got: "
                f"{self._dtype._long}"
            )
        total = self.detach().sum(dim, keepdim)
        name = f"MeanBackward{int(dim is not UNSAID)}"
        dim, _ = axes("mean", self, dim, keepdim)
        shape = self._shape
        n = prod(shape) if dim is None else shape[dim]
        only(n, "mean of nothing")
        slopes = (lambda g: stretched(g, shape, dim) / n,)
        return record(total / n, name, (self,), slopes)

    def var(self, dim=UNSAID, *, correction=1):
        squares, left = variances(self, dim, correction)
        return fresh(array(self._dtype.code, squares), left, self._dtype)

    def std(self, dim=UNSAID, *, correction=1):
        squares, left = variances(self, dim, correction)
        data = array(self._dtype.code, map(math.sqrt, squares))
        return fresh(data, left, self._dtype)

    def all(self, dim=UNSAID):
        dim, left = axes("all", self, dim)
        return fresh(array("B", map(all, groups(self, dim))), left, bool_)

    def any(self):
        return fresh(array("B", (any(elements(self)),)), sized(), bool_)

    def median(self, dim=UNSAID):
        axis, left = axes("median", self, dim)
        rows, kind = groups(self, axis), self._dtype
        right = kind is not bool_ and not self._requires and self.numel()
        only(right, "median of this")
        best = [sorted(row)[(len(row) - 1) // 2] for row in rows]
        right = self.isfinite().all() and all(
            row.count(x) == 1 for row, x in zip(rows, best, strict=True)
        )
        only(right, "median of nan or inf, or of equal numbers")
        spots = [row.index(x) for row, x in zip(rows, best, strict=True)]
        values = fresh(array(kind.code, best), left, kind)
        pair = Pair(values, fresh(array("q", spots), left, int64))
        return values if dim is UNSAID else pair

    def sort(self, dim=-1, *, stable=False):
        only(type(stable) is bool, "sort with this argument")
        dim, shape = axis(dim, len(self._shape)), self._shape
        right = not self._requires and self.numel()
        right = right and shape[dim] == self.numel()
        only(right and self._dtype is not bool_, "sort but of one column")
        row = elements(self)
        chance = not stable and len(row) > 16  # how PyTorch orders equal ones
        right = not chance or len(set(row)) == len(row)
        only(
            right and all(x == x for x in row), "sort of equal numbers or nan"
        )
        spots = sorted(range(len(row)), key=row.__getitem__)
        data = array(row.typecode, [row[i] for i in spots])
        values = fresh(data, shape, self._dtype)
        return Pair(values, fresh(array("q", spots), shape, int64))

    def argsort(self, *, stable=False):
        return self.detach().sort(stable=stable).indices

    def unique(self, *, dim=None):
        values, width = elements(self), prod(self._shape[1:])
        right = all(x - x == 0 for x in values) and not self._requires
        only(right and dim in (None, 0) and values, "unique of this")
        width = width if dim == 0 else 1
        starts = range(0, len(values), width)
        rows = sorted({tuple(values[i : i + width]) for i in starts})
        data = array(values.typecode, [x for row in rows for x in row])
        rest = self._shape[1:] if dim == 0 else ()
        return fresh(data, sized((len(rows), *rest)), self._dtype)

    def nonzero(self):
        spots = [i for i, value in enumerate(elements(self)) if value]
        data, inner = array("q"), self.numel()
        for size in self._shape:
            inner //= size or 1
            data.extend([spot // inner % size for spot in spots])
        return fresh(data, sized((len(self._shape), len(spots))), int64).T

    def cov(self):
        right = len(self._shape) == 2 and min(self._shape) > 1
        right = right and self._dtype.rank == 2 and not self._requires
        only(right, "cov of this")
        rest = self - self.mean(dim=1, keepdim=True)
        return rest @ rest.T / (self._shape[1] - 1)

    def diag(self):
        shape, values = self._shape, elements(self)
        only(len(shape) in (1, 2) and not self._requires, "diag of this")
        if len(shape) == 2:
            data = values[:: shape[1] + 1][: min(shape)]
            return fresh(data, sized((len(data),)), self._dtype)
        data = array(values.typecode, [0]) * len(values) ** 2
        data[:: len(values) + 1] = values
        return fresh(data, sized((len(values),) * 2), self._dtype)


Tensor._sum_to = sum_to
