"""Products of vectors and matrices."""

import math
import operator
from array import array

from ._tensor import FUNCTIONS, Tensor, api, elements, fresh, record, turned
from ._types import Size, only

CPP = {"float32": "float", "float64": "double", "int64": "long int"}
CPP |= {"int32": "int", "bool": "bool", "uint8": "unsigned char"}


def inner(row, column):
    """The sum of products, of Python's precision."""
    return sum(map(operator.mul, row, column))


inner = getattr(math, "sumprod", inner)  # new in Python 3.12


def product(one, two):
    """The matrix product, without a word about gradients."""
    (m, k), (_, n) = one._shape, two._shape
    a, b, code = elements(one), elements(two), one._dtype.code
    if k > 16 or code == "q":
        columns = [b[j::n] for j in range(n)]
        rows = [a[i * k : i * k + k] for i in range(m)]
        data = array(code, [inner(row, c) for row in rows for c in columns])
        return fresh(data, Size((m, n)), one._dtype)
    data = array(code, [0]) * (m * n)
    for j in range(n):
        total = array(code, [0]) * m
        for p in range(k):  # rounded once a step, as processors do
            x = b[p * n + j]
            pairs = zip(total, a[p::k], strict=True)
            total = array(code, [t + y * x for t, y in pairs])
        data[j::n] = total
    return fresh(data, Size((m, n)), one._dtype)


def recorded(name, result, one, two, slopes):
    """Record a product; each gradient needs the other factor."""
    saved = [two] * one._requires + [one] * two._requires
    return record(result, name, (one, two), slopes, saved)


def check_kind(one):
    only(
        one._dtype.rank == 2 or one._dtype.code == "q", "products of this type"
    )


def mm(one, two):
    (m, k), (k2, n) = one._shape, two._shape
    if k != k2:
        raise RuntimeError(
            f"mm: mat1 and mat2 shapes cannot be multiplied ({m}x{k} and "
            f"{k2}x{n})"
        )
    if one._dtype is not two._dtype:
        first, second = CPP[one._dtype.name], CPP[two._dtype.name]
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {first} != "
            f"{second}"
        )
    check_kind(one)
    slopes = (
        lambda g: mm(g, turned(two, "TBackward0")),
        lambda g: mm(turned(one, "TBackward0"), g),
    )
    return recorded("MmBackward0", product(one, two), one, two, slopes)


def mv(one, two):
    (m, k), (k2,) = one._shape, two._shape
    if k != k2:
        raise RuntimeError(
            f"size mismatch, got input ({m}), mat ({m}x{k}), vec ({k2})"
        )
    if one._dtype is not two._dtype:
        first, second = one._dtype.long, two._dtype.long
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{second}, {first}, and {second}"
        )
    check_kind(one)
    data = product(one, two.detach().reshape(k, 1))._data
    result = fresh(data, Size((m,)), one._dtype)
    slopes = (
        lambda g: g.reshape(-1, 1) * two,
        lambda g: mv(turned(one, "TBackward0"), g),
    )
    return recorded("MvBackward0", result, one, two, slopes)


@api("dot")
def dot(self, tensor):
    only(isinstance(tensor, Tensor), "dot with this argument")
    one, two = len(self._shape), len(tensor._shape)
    if (one, two) != (1, 1):
        raise RuntimeError(
            f"1D tensors expected, but got {one}D and {two}D tensors"
        )
    if self._dtype is not tensor._dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{self._dtype.long} and {tensor._dtype.long}"
        )
    one, two = len(self), len(tensor)
    if one != two:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{one}] and src "
            f"[{two}] to have the same number of elements, but got {one} and "
            f"{two} elements respectively"
        )
    check_kind(self)
    a, b, code = elements(self), elements(tensor), self._dtype.code
    terms = array(code, map(operator.mul, a, b))
    if one == 4:  # in pairs, as in a register
        terms = array(code, map(operator.add, terms[::2], terms[1::2]))
    elif one > 4:
        terms = (inner(a, b),)
    total = array(code, (0,))
    for term in terms:
        total[0] += term
    result = fresh(total, Size(), self._dtype)
    slopes = (lambda g: g * tensor), (lambda g: g * self)
    return recorded("DotBackward0", result, self, tensor, slopes)


def matmul(self, other):
    """`self @ other`, for vectors and matrices."""
    if not isinstance(other, Tensor):
        return NotImplemented
    dims = len(self._shape), len(other._shape)
    if dims in ((1, 1), (2, 1), (2, 2)):
        return {(1, 1): dot, (2, 1): mv, (2, 2): mm}[dims](self, other)
    if dims == (3, 3) and self._dtype is not other._dtype:
        raise RuntimeError(
            f"expected scalar type {self._dtype.long} but found "
            f"{other._dtype.long}"
        )
    only(dims == (1, 2), "@ of these dimensions")
    result = mm(self.reshape(1, -1), other)
    flat = fresh(result._data, Size(result._shape[1:]), result._dtype)
    slopes = (lambda g: g.reshape(1, -1),)
    return record(flat, "SqueezeBackward4", (result,), slopes)


def matmul_of(input, other):
    right = isinstance(input, Tensor) and isinstance(other, Tensor)
    only(right, "matmul with these arguments")
    return matmul(input, other)


@api("norm")
def norm(self):
    only(self._dtype.rank == 2 and not self._requires, "norm of this")
    size = math.sqrt(inner(elements(self), elements(self)))
    return fresh(array(self._dtype.code, (size,)), Size(), self._dtype)


FUNCTIONS["matmul"], Tensor.__matmul__ = matmul_of, matmul
