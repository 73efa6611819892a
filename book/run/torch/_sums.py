"""What makes few numbers of many: sums, means, extremes, order.

PyTorch adds float32 numbers in an order of its own, several sums side by
side; each sum is rounded, so the order is kept here.
"""

import math
import operator
from array import array
from collections import namedtuple
from math import prod

from ._tensor import Tensor, api, axis, elements, fresh, record
from ._types import Size, bool_, int64, only


def plus(one, two):
    """The sums of pairs, each rounded."""
    return array(one.typecode, map(operator.add, one, two))


def cascade(rows):
    """Add rows as ATen's cascade_sum does: levels of at least 16 each."""
    power = max(4, (max(len(rows), 1) - 1).bit_length() // 4)
    step, levels = 1 << power, [rows[0][:0]] * 4
    blank = array(rows[0].typecode, [0]) * len(rows[0])
    levels, whole = [blank] * 4, len(rows) >> power << power
    for i, row in enumerate(rows, 1):
        levels[0] = plus(levels[0], row)
        if i % step == 0 and i <= whole:
            for j in range(1, 4):
                levels[j] = plus(levels[j], levels[j - 1])
                levels[j - 1] = blank
                if i & ((step - 1) << (j * power)):
                    break
    total = levels[0]
    for level in levels[1:]:
        total = plus(total, level)
    return total


def four_ways(values, width):
    """Add rows of this width, four rows side by side."""
    rows = [values[i : i + width] for i in range(0, len(values), width)]
    four, wide = len(rows) // 4 * 4, 4 * width
    blocks = range(0, four * width, wide)
    lanes = [values[i : i + wide] for i in blocks] or [rows[0][:0] * 4]
    sums = cascade(lanes) if four else array(values.typecode, [0]) * wide
    total = sums[:width]
    for row in rows[four:]:
        total = plus(total, row)
    for k in range(width, wide, width):
        total = plus(total, sums[k : k + width])
    return total


def sum_of(values):
    """The sum of an array, rounded as PyTorch rounds it."""
    code, n = values.typecode, len(values)
    if code not in "fd" or not n:
        return sum(values)
    vector = 8 if code == "f" else 4
    if n < vector:
        return four_ways(values, 1)[0]
    whole = n // vector * vector
    total = array(code, (0.0,))
    for x in (*values[whole:], *four_ways(values[:whole], vector)):
        total[0] += x
    return total[0]


def axes(name, self, dim, keepdim):
    """The dimension that goes, or all; and the shape that is left."""
    right = keepdim is ... or (type(keepdim) is bool and dim is not ...)
    only(right, f"{name} with this keepdim")
    keepdim = keepdim is True
    shape = list(self._shape)
    if dim is ... or dim is None:
        return None, Size([1] * len(shape) if keepdim else [])
    dim = axis(dim, len(shape))
    only(shape, f"{name} of a number along a dimension")
    left = shape[:dim] + [1] * keepdim + shape[dim + 1 :]
    return dim, Size(left)


def groups(self, dim):
    """The elements that belong together, as a list of arrays."""
    values = elements(self)
    if dim is None:
        return [values]
    size, inner = self._shape[dim], prod(self._shape[dim + 1 :])
    block, shape = size * inner, self._shape
    if not block:
        return [values] * prod(shape[:dim] + shape[dim + 1 :])
    return [
        values[start + i : start + block : inner]
        for start in range(0, len(values), block)
        for i in range(inner)
    ]


def stretched(gradient, shape, dim):
    """Give the gradient of a sum to each of its terms."""
    if dim is not None and len(gradient._shape) < len(shape):
        gradient = gradient.reshape(*shape[:dim], 1, *shape[dim + 1 :])
    if dim is None:
        gradient = gradient.reshape([1] * len(shape))
    return gradient.expand(shape)


@api("sum")
def sum_(self, dim=..., keepdim=...):
    name = f"SumBackward{int(dim is not ...)}"
    dim, left = axes("sum", self, dim, keepdim)
    shape, kind = self._shape, self._dtype
    code = kind.code if kind.rank == 2 else "q"
    data = array(code, map(sum_of, groups(self, dim)))
    result = fresh(data, left, kind if kind.rank == 2 else int64)
    slopes = (lambda g: stretched(g, shape, dim),)
    return record(result, name, (self,), slopes)


def sum_to(self, shape):
    """Undo broadcasting: add up what came from one number."""
    extra = len(self._shape) - len(shape)
    if prod(shape) == 1:
        return self.sum().reshape(shape)
    for i in reversed(range(len(self._shape))):
        if i < extra or (shape[i - extra] == 1 != self._shape[i]):
            self = self.sum(dim=i, keepdim=True)
    return self.reshape(shape)


Tensor._sum_to = sum_to


@api("mean")
def mean(self, dim=..., keepdim=...):
    if self._dtype.rank < 2:
        raise NotImplementedError(
            "mean(): could not infer output dtype. Input dtype must be either "
            f"a floating point or complex dtype. Got: {self._dtype.long}"
        )
    total = sum_(self.detach(), dim, keepdim)
    name = f"MeanBackward{int(dim is not ...)}"
    dim, _ = axes("mean", self, dim, keepdim)
    shape = self._shape
    n = prod(shape) if dim is None else shape[dim]
    slopes = (lambda g: stretched(g, shape, dim) / n,)
    return record(total / n, name, (self,), slopes)


def variance(name, self, dim, correction, keepdim, finish=float):
    """The mean square distance from the mean."""
    right = self._dtype.rank == 2 and type(correction) in (int, float)
    dim, left = axes(name, self, dim, keepdim)
    n = prod(self._shape) if dim is None else self._shape[dim]
    only(
        right and n > correction >= 0 and not self._requires, f"{name} of this"
    )
    found = []
    for row in groups(self, dim):
        finite = all(x - x == 0 for x in row)
        center = math.fsum(row) / n if finite else math.nan
        total = math.fsum([(x - center) ** 2 for x in row])
        found.append(finish(total / (n - correction)))
    return fresh(array(self._dtype.code, found), left, self._dtype)


@api("var")
def var(self, dim=..., *, correction=1, keepdim=...):
    return variance("var", self, dim, correction, keepdim)


@api("std")
def std(self, dim=..., *, correction=1, keepdim=...):
    return variance("std", self, dim, correction, keepdim, math.sqrt)


def truth(name, function):
    """Make all or any."""

    def method(self, dim=..., keepdim=...):
        dim, left = axes(name, self, dim, keepdim)
        data = array("B", map(function, groups(self, dim)))
        return fresh(data, left, bool_)

    api(name, method)


truth("all", all)
truth("any", any)


def show(self):
    name = type(self).__name__
    return (
        f"torch.return_types.{name}(\nvalues={self.values!r},\n"
        f"indices={self.indices!r})"
    )


PAIRS = {}
for name in ("max", "min", "median", "sort"):
    PAIRS[name] = namedtuple(name, ["values", "indices"])
    PAIRS[name].__repr__ = show


def first_of(name, self, dim, keepdim, place):
    """The element of each group at the place that is asked for."""
    right = self._dtype is not bool_ and self.numel() and not self._requires
    only(right, f"{name} of this")
    dim, left = axes(name, self, dim, keepdim)
    rows = groups(self, dim)
    found = array("q", map(place, rows))
    best = [row[i] for row, i in zip(rows, found, strict=True)]
    values = fresh(array(self._dtype.code, best), left, self._dtype)
    return values, fresh(found, left, int64)


def extreme(name, better):
    """Make max or min, and argmax or argmin; nan wins."""

    def place(row):
        best = 0
        for i, x in enumerate(row):
            if x != x:
                return i
            if better(x, row[best]):
                best = i
        return best

    def method(self, dim=..., keepdim=...):
        only(dim is not None, f"{name}(dim=None)")
        pair = first_of(name, self, dim, keepdim, place)
        return pair[0] if dim is ... else PAIRS[name](*pair)

    def argument(self, dim=..., keepdim=...):
        return first_of(name, self, dim, keepdim, place)[1]

    api(name, method)
    api("arg" + name, argument)


extreme("max", operator.gt)
extreme("min", operator.lt)


def middle(row):
    """Where the lower median is."""
    only(all(x - x == 0 for x in row), "median of nan or inf")
    found = sorted(row)[(len(row) - 1) // 2]
    only(row.count(found) == 1, "median of a number that occurs twice")
    return row.index(found)


@api("median")
def median(self, dim=..., keepdim=...):
    only(dim is not None, "median(dim=None)")
    pair = first_of("median", self, dim, keepdim, middle)
    return pair[0] if dim is ... else PAIRS["median"](*pair)


@api("sort")
def sort(self, dim=-1, descending=False, stable=False):
    right = type(descending) is type(stable) is bool and self.numel()
    dim, shape = axis(dim, len(self._shape)), self._shape
    only(right and len(shape) in (1, 2) and not self._requires, "sort of this")
    spots, rows = [], groups(self, dim)
    for row in rows:
        only(all(x == x for x in row), "sort of nan")
        chance = not stable and len(row) > 16  # how PyTorch orders equal ones
        twice = chance and len(set(row)) < len(row)
        only(not twice, "sort of equal numbers without stable=True")
        sign = -1 if descending else 1
        key = [sign * x for x in row].__getitem__
        spots.append(sorted(range(len(row)), key=key))
    pairs = zip(rows, spots, strict=True)
    numbers = [[row[i] for i in found] for row, found in pairs]
    if dim < len(shape) - 1:  # the groups are columns
        numbers, spots = zip(*numbers, strict=True), zip(*spots, strict=True)
    code = self._dtype.code
    values = array(code, [x for row in numbers for x in row])
    indices = array("q", [i for row in spots for i in row])
    return PAIRS["sort"](
        fresh(values, shape, self._dtype, self),
        fresh(indices, shape, int64, self),
    )


@api("argsort")
def argsort(self, dim=-1, descending=False, stable=False):
    return sort(self.detach(), dim, descending, stable).indices


@api("unique")
def unique(self, dim=None):
    values, width = elements(self), prod(self._shape[1:])
    right = all(x - x == 0 for x in values) and not self._requires
    only(right and dim in (None, 0) and values, "unique of this")
    width = width if dim == 0 else 1
    starts = range(0, len(values), width)
    rows = sorted({tuple(values[i : i + width]) for i in starts})
    data = array(values.typecode, [x for row in rows for x in row])
    shape = (len(rows), *self._shape[1:]) if dim == 0 else (len(rows),)
    return fresh(data, Size(shape), self._dtype)


@api("nonzero")
def nonzero(self):
    spots = [i for i, value in enumerate(elements(self)) if value]
    data, inner = array("q"), self.numel()
    for size in self._shape:
        inner //= size or 1
        data.extend([spot // inner % size for spot in spots])
    return fresh(data, Size((len(self._shape), len(spots))), int64).T


@api("cov")
def cov(self):
    right = len(self._shape) == 2 and min(self._shape) > 1
    right = right and self._dtype.rank == 2
    only(right and not self._requires, "cov of this")
    rest = self - self.mean(dim=1, keepdim=True)
    return rest @ rest.T / (self._shape[1] - 1)


@api("diag")
def diag(self):
    shape, values = self._shape, elements(self)
    only(len(shape) in (1, 2) and not self._requires, "diag of this")
    if len(shape) == 2:
        data = values[:: shape[1] + 1][: min(shape)]
        return fresh(data, Size((len(data),)), self._dtype)
    data = array(values.typecode, [0]) * len(values) ** 2
    data[:: len(values) + 1] = values
    return fresh(data, Size(shape * 2), self._dtype)
