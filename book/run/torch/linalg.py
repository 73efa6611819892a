"""torch.linalg: solve, least squares, eigenvalues, in double precision."""

import math
from array import array

from ._linear import inner
from ._tensor import Tensor, elements, fresh
from ._types import Partial, Size, needs, only


def columns_of(name, A, B):
    """Check two tables; return the columns of both."""
    right = isinstance(A, Tensor) and isinstance(B, Tensor)
    right = right and len(A._shape) == len(B._shape) == 2
    right = right and not (A._requires or B._requires)
    only(right and A._dtype.rank == 2 == B._dtype.rank, f"linalg.{name}")
    if A._dtype is not B._dtype:
        one, two = A._dtype.long, B._dtype.long
        only(name == "lstsq", f"linalg.{name} of two dtypes")
        raise RuntimeError(
            "torch.linalg.lstsq: Expected input and other to have the same "
            f"dtype, but got input's dtype {one} and other's dtype {two}"
        )
    (rows, width), values = A._shape, (*elements(A), *elements(B))
    right = all(x - x == 0 for x in values) and rows >= width > 0
    right = right and rows == len(B) and (name == "lstsq" or rows == width)
    only(right, f"linalg.{name} of these tables")
    return [
        [list(elements(t)[j :: t._shape[1]]) for j in range(t._shape[1])]
        for t in (A, B)
    ]


def solution(name, A, B):
    """The least squares solution, by reflections (Householder, 1958)."""
    columns, targets = columns_of(name, A, B)
    width = len(columns)
    for i in range(width):
        v = columns[i][i:]
        size = math.sqrt(inner(v, v))
        v[0] += math.copysign(size, v[0])
        scale = 2 / (inner(v, v) or math.inf)
        for column in (*columns[i:], *targets):
            factor = scale * inner(v, column[i:])
            pairs = zip(column[i:], v, strict=True)
            column[i:] = [c - factor * a for c, a in pairs]
    check_spread(name, A, [abs(columns[i][i]) for i in range(width)])
    solved = []
    for x in targets:
        for i in reversed(range(width)):
            row = [column[i] for column in columns[i + 1 :]]
            x[i] = (x[i] - inner(row, x[i + 1 : width])) / columns[i][i]
        solved += x[:width]
    shape = Size((len(targets), width))
    return fresh(array(A._dtype.code, solved), shape, A._dtype).T


def check_spread(name, A, sizes):
    """Refuse what is so ill-conditioned that the last digits are chance."""
    bound = 3e-3 if A._dtype.code == "f" else 1e-9
    fine = min(sizes) > bound * max(sizes)
    only(fine, f"linalg.{name} of an ill-conditioned matrix")


def solve(A, B):
    """X with A @ X = B."""
    return solution("solve", A, B)


class Lstsq(Partial):
    """What lstsq returns; the rest of it needs PyTorch."""

    def __init__(self, solution):
        self.solution = solution

    def __getitem__(self, index):
        return self.solution if index == 0 else needs("this part of lstsq")


def lstsq(A, B):
    return Lstsq(solution("lstsq", A, B))


def eigvalsh(A):
    """Eigenvalues of a symmetric matrix, by rotations (Jacobi, 1846)."""
    columns, _ = columns_of("eigvalsh", A, A)
    n = len(columns)
    only(n == len(A), "linalg.eigvalsh of this table")
    a = [[columns[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)]
    for _ in range(12):
        for p in range(n):
            for q in range(p + 1, n):
                rotate(a, p, q)
    found = sorted(a[i][i] for i in range(n))
    check_spread("eigvalsh", A, [abs(x) for x in found])
    return fresh(array(A._dtype.code, found), Size((n,)), A._dtype)


def rotate(a, p, q):
    """Make a[p][q] zero."""
    if a[p][q] == 0:
        return
    turn = (a[q][q] - a[p][p]) / (2 * a[p][q])
    t = math.copysign(1, turn) / (abs(turn) + math.hypot(turn, 1))
    c = 1 / math.hypot(t, 1)
    s = t * c
    for row in a:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    pairs = list(zip(a[p], a[q], strict=True))
    a[p] = [c * x - s * y for x, y in pairs]
    a[q] = [s * x + c * y for x, y in pairs]


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    needs(f"torch.linalg.{name}")
