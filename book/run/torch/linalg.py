"""Products of vectors and matrices, and torch.linalg."""

import math
import operator
from array import array

from ._making import eye
from ._tensor import Tensor, elements, fresh, methods, record, turned
from ._types import Partial, held, known, needs, only, refusing, sized

CPP = {"float32": "float", "float64": "double", "int64": "long int"}
CPP |= {"int32": "int", "bool": "bool"}


def inner(row, column):
    """The sum of products, of Python's precision."""
    return sum(map(operator.mul, row, column))


inner = getattr(math, "sumprod", inner)  # new in Python 3.12


def settled(data, a, b, k):
    """Return rows times columns, unless they depend on the order of sums.

    That is so if nearly all cancels out, or if a part is too large.
    """
    if data.typecode == "q" or not (data and k):
        return data
    tiny, huge = (1e-8, 3.4e38) if data.typecode == "f" else (2e-17, 1e300)
    tiny *= min(k, 100)
    most, n = k * max(max(a), -min(a)) * max(max(b), -min(b)), len(b) // k
    if most < huge and tiny * most <= min(map(abs, data)):
        return data
    rows = [a[i : i + k] for i in range(0, len(a), k)]
    columns = [b[j::n] for j in range(n)]
    pairs = [(row, column) for row in rows for column in columns]
    for (row, column), total in zip(pairs, data, strict=True):
        most = sum(map(abs, map(operator.mul, row, column)))
        right = most < huge and tiny * most <= abs(total)
        whole = most < 2**24 and all(x % 1 == 0 for x in (*row, *column))
        only(right or whole or not most < math.inf, "sums that nearly cancel")
    return data


def product(one, two):
    """The matrix product, without a word about gradients."""
    (m, k), (_, n) = one._shape, two._shape
    a, b, code = elements(one), elements(two), one._dtype.code
    if k > 16 or code == "q":
        columns = [b[j::n] for j in range(n)]
        rows = [a[i * k : i * k + k] for i in range(m)]
        data = held([inner(row, c) for row in rows for c in columns], code)
    else:
        data = array(code, [0]) * (m * n)
        for j in range(n):
            total = array(code, [0]) * m
            for p in range(k):  # rounded once a step, as processors do
                x = b[p * n + j]
                pairs = zip(total, a[p::k], strict=True)
                total = array(code, [t + y * x for t, y in pairs])
            data[j::n] = total
    return fresh(settled(data, a, b, k), sized((m, n)), one._dtype)


def recorded(name, result, one, two, slopes):
    """Record a product; each gradient needs the other factor."""
    right = one._dtype.rank == 2 or one._dtype.code == "q"
    only(right and one._dtype is two._dtype, "products of these types")
    saved = [two] * one._requires + [one] * two._requires
    return record(result, name, (one, two), slopes, saved)


def mm(one, two):
    (m, k), (k2, n) = one._shape, two._shape
    if k != k2:
        raise RuntimeError(
            f"mm: mat1 and mat2 shapes cannot be multiplied ({m}x{k} and "
            f"{k2}x{n})"
        )
    if one._dtype is not two._dtype:
        first, second = CPP[one._dtype._name], CPP[two._dtype._name]
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {first} != "
            f"{second}"
        )
    slopes = (
        lambda g: mm(g, turned(two, "TBackward0")),
        lambda g: mm(turned(one, "TBackward0"), g),
    )
    return recorded("MmBackward0", product(one, two), one, two, slopes)


def mv(one, two):
    (m, k), (k2,) = one._shape, two._shape
    only(one._dtype is two._dtype, "@ of two types")
    if k != k2:
        raise RuntimeError(
            f"size mismatch, got input ({m}), mat ({m}x{k}), vec ({k2})"
        )
    data = product(one, two.detach().reshape(k, 1))._data
    result = fresh(data, sized((m,)), one._dtype)
    slopes = (
        lambda g: g.reshape(-1, 1) * two,
        lambda g: mv(turned(one, "TBackward0"), g),
    )
    return recorded("MvBackward0", result, one, two, slopes)


@methods
class Products:
    """Products, for vectors and matrices."""

    def dot(self, tensor):
        right = isinstance(tensor, Tensor) and len(self._shape) == 1
        right = right and len(tensor._shape) == 1
        right = right and self._dtype is tensor._dtype
        only(right, "dot but of two sequences")
        n, n2 = len(self), len(tensor)
        if n != n2:
            raise RuntimeError(
                f"inconsistent tensor size, expected tensor [{n}] and src "
                f"[{n2}] to have the same number of elements, but got {n} and "
                f"{n2} elements respectively"
            )
        a, b, code = elements(self), elements(tensor), self._dtype.code
        terms = held(map(operator.mul, a, b), code)
        if len(self) == 4:  # in pairs, as in a register
            terms = array(code, map(operator.add, terms[::2], terms[1::2]))
        elif len(self) > 4:
            terms = held((inner(a, b),), code)
            terms = settled(terms, a, b, len(a))
        total = array(code, (0,))
        for term in terms:
            total[0] += term
        result = fresh(total, sized(), self._dtype)
        slopes = (lambda g: g * tensor), (lambda g: g * self)
        return recorded("DotBackward0", result, self, tensor, slopes)

    def matmul(self, other):
        only(isinstance(other, Tensor), "@ with this")
        dims = len(self._shape), len(other._shape)
        kinds = {(1, 1): Tensor.dot, (2, 1): mv, (2, 2): mm}
        only(dims in kinds, "@ of these dimensions")
        return kinds[dims](self, other)

    __matmul__ = matmul

    def norm(self):
        only(self._dtype.rank == 2, "norm of this")
        size = math.sqrt(inner(elements(self), elements(self)))
        right = 1e-18 < size < 1e18 or (size == 0 and not self._requires)
        only(right, "norm of zeros, or of numbers so large or small")
        data = array(self._dtype.code, (size,))
        result = fresh(data, sized(), self._dtype)
        slopes = (lambda g: g * (self / result),)
        name = "LinalgVectorNormBackward0"
        return record(result, name, (self,), slopes, (self, result))


def columns_of(name, *tables):
    """Check tables of one type; return the columns of each."""
    for A in tables:
        right = isinstance(A, Tensor) and len(A._shape) == 2 and A.numel()
        right = right and A._dtype.rank == 2 and not A._requires
        only(right and A.isfinite().all(), f"linalg.{name} of this")
    first = tables[0]
    rows, width = first._shape
    alike = all((len(A), A._dtype) == (rows, first._dtype) for A in tables)
    right = alike and rows >= width and (name == "lstsq" or rows == width)
    only(right, f"linalg.{name} of these")
    return [[list(elements(c)) for c in turned(A, "")] for A in tables]


def solution(name, A, B):
    """The least squares solution, by the normal equations."""
    columns, targets = columns_of(name, A, B)
    every, width = [*columns, *targets], len(columns)
    rows = [[inner(one, other) for other in every] for one in columns]
    bound = 1e-5 if A._dtype.code == "f" else 1e-10
    bound *= max(row[i] for i, row in enumerate(rows))
    for i, row in enumerate(rows):  # Gauss: one unknown after the other
        only(row[i] > bound, f"linalg.{name} of an ill-conditioned matrix")
        for other in rows[:i] + rows[i + 1 :]:
            factor = other[i] / row[i]
            pairs = zip(other, row, strict=True)
            other[:] = [x - factor * y for x, y in pairs]
    solved = array(A._dtype.code)
    for j in range(width, len(every)):  # one target after the other
        solved.extend([row[j] / row[i] for i, row in enumerate(rows)])
        most = max(map(abs, solved[-width:]))
        clear = all(abs(x) >= 1e-5 * most for x in solved[-width:])
        only(clear, f"linalg.{name} with zeros as its result")
        solved.extend([0.0] * (len(A) - width))
    whole = fresh(solved, sized((len(targets), len(A))), A._dtype)
    return whole.T[:width].detach()


@known
def solve(A, B):
    """X with A @ X = B."""
    return solution("solve", A, B)


class Lstsq(Partial):
    """What lstsq returns; the rest of it needs PyTorch."""

    def __init__(self, solution):
        self.solution = solution

    def __getitem__(self, *index):
        needs("lstsq's parts by number")

    __len__ = __getitem__


@known
def lstsq(A, B):
    return Lstsq(solution("lstsq", A, B))


@known
def eigvalsh(A):
    """Eigenvalues of a symmetric matrix of two rows."""
    columns_of("eigvalsh", A)
    only(len(A) == 2, "linalg.eigvalsh but of two rows")
    (a, _), (b, c) = A.tolist()
    middle, rest = (a + c) / 2, math.hypot((a - c) / 2, b)
    found = array(A._dtype.code, (middle - rest, middle + rest))
    only(abs(found[0]) > 1e-3 * abs(found[1]), "these eigenvalues")
    return fresh(found, sized((2,)), A._dtype)


@known
def matrix_power(A, n, /):
    """The product of n times A."""
    columns_of("matrix_power", A)
    only(type(n) is int and n > 0, "this linalg.matrix_power")
    power = eye(len(A), dtype=A._dtype)
    for digit in f"{n:b}":
        power = mm(power, power)
        power = mm(power, A) if digit == "1" else power
    return power


__getattr__ = refusing("torch.linalg")
