"""Arithmetic, element by element."""

import math
import operator
from array import array
from itertools import repeat

from ._tensor import (
    MARK,
    MODE,
    Tensor,
    elements,
    fresh,
    full_of,
    method,
    methods,
    overlap,
    record,
    spread,
    store,
)
from ._types import (
    PYTHON,
    bool_,
    cast,
    float32,
    float64,
    held,
    int64,
    only,
    promoted,
    rounded,
    sized,
)

MOST = 5_000_000  # more take minutes, and all memory


def broadcast(first, second):
    """The shape of a result of two shapes."""
    ndim = max(len(first), len(second))
    one = (1,) * (ndim - len(first)) + first
    two = (1,) * (ndim - len(second)) + second
    for i in reversed(range(ndim)):
        if one[i] != two[i] and 1 not in (one[i], two[i]):
            raise RuntimeError(
                f"The size of tensor a ({one[i]}) must match the size of "
                f"tensor b ({two[i]}) at non-singleton dimension {i}"
            )
    shape = [b if a == 1 else a for a, b in zip(one, two, strict=True)]
    only(math.prod(shape) <= MOST, "a result of so many numbers")
    return sized(shape)


def common_type(a, b):
    """The dtype of a result: dimensions count more than numbers."""
    one = a._dtype
    if type(b) is not Tensor:
        only(type(b) in PYTHON, f"arithmetic with {type(b).__name__}")
        two = PYTHON[type(b)]
        return one if one.rank >= two.rank else two
    two = b._dtype
    if one is two:
        return one
    if bool(a._shape) == bool(b._shape):
        return promoted(one, two)
    many, single = (one, two) if a._shape else (two, one)
    return many if many.rank >= single.rank else single


def operands(a, b, kind):
    """The elements of two operands in one type, as long as the result."""
    shape = a._shape
    if type(b) is not Tensor:
        one = cast(elements(a), a._dtype, kind)
        return one, repeat(rounded(b, kind)), shape
    if b._shape != shape:
        shape = broadcast(shape, b._shape)
    one, two = spread(a, shape), spread(b, shape)
    return cast(one, a._dtype, kind), cast(two, b._dtype, kind), shape


def truths(*operands):
    """Whether one of them is bool."""
    return bool_ in [
        getattr(x, "_dtype", PYTHON.get(type(x))) for x in operands
    ]


def arithmetic(name, function, slopes, saves=False):
    """Make `a + b`, `b + a` and `a += b`, and a.add_(b)."""
    label = name.capitalize() + "Backward0"

    def forward(self, other):
        kind = common_type(self, other)
        only(name != "sub" or not truths(self, other), "sub of bool")
        if kind.rank < 2:
            right = kind is int64 and type(other) is not bool
            only(right, f"{name} of {kind}")
            kind = float32 if name == "div" else kind
        one, two, shape = operands(self, other, kind)
        data = held(map(function, one, two), kind.code)
        result = fresh(data, shape, kind, self, other)
        if not MODE[0]:
            return result
        inputs = (self, other) if type(other) is Tensor else (self,)
        kept = [MARK]  # "something was saved"
        if type(other) is Tensor:
            kept = [other] * self._requires + [self] * other._requires
            kept += [other] * (other._requires and name == "div")
        slope = slopes(self, other)[: len(inputs)]
        return record(result, label, inputs, slope, kept if saves else ())

    def in_place(self, other):
        return overwrite(self, other, forward(self, other))

    python = {"div": "truediv"}.get(name, name)
    setattr(Tensor, f"__{python}__", forward)
    setattr(Tensor, f"__r{python}__", forward)
    setattr(Tensor, f"__i{python}__", in_place)
    method(name + "_", in_place)


def check_change(tensor, recorded, part=False):
    """Raise unless a tensor may change in place, for gradients' sake."""
    pairs = zip(tensor._shape, tensor._strides or (), strict=False)
    alone = all(step or size < 2 for size, step in pairs)
    only(alone and not tensor._inference, "changing this tensor")
    base = tensor if tensor._base is None else tensor._base
    if MODE[0] and base._requires and base._node is None:
        several = type(tensor._node).__name__.startswith(("Unbind", "Split"))
        only(not several, "changing one of several views")
        only(tensor._node or base is tensor, "changing an unrecorded view")
        which = "a view of a" if part or base is not tensor else "a"
        raise RuntimeError(
            f"{which} leaf Variable that requires grad is being used in an "
            "in-place operation."
        )
    recorded = MODE[0] and (recorded or base._requires)
    right = base is tensor or not (recorded or tensor._requires)
    only(right, "changing this view")


def overwrite(self, other, result):
    """Put a result in the place of `self`."""
    check_change(self, result._requires)
    right = not isinstance(other, Tensor) or not overlap(self, other)
    only(right, "changing a tensor by a part of itself")
    if MODE[0] and isinstance(other, Tensor) and other._requires:
        only(not result._node._saved, "this change of a recorded tensor")
    same = result._shape == self._shape
    same = same and result._dtype.rank <= self._dtype.rank
    only(same, "putting this in the place of another shape or type")
    store(self, cast(elements(result), result._dtype, self._dtype))
    if result._node is not None:
        self._node, self._requires = result._node, True
    return self


arithmetic("add", operator.add, lambda a, b: ((lambda g: g),) * 2)
arithmetic("sub", operator.sub, lambda a, b: ((lambda g: g), operator.neg))
arithmetic(
    "mul", operator.mul, lambda a, b: (lambda g: g * b, lambda g: g * a), True
)
arithmetic(
    "div",
    operator.truediv,
    lambda a, b: (lambda g: g / b, lambda g: -g * ((a / b) / b)),
    True,
)


def comparison(name):
    """Make a comparison or, for truths, `a & b` or `a | b`."""
    logical, function = name in ("and", "or"), getattr(operator, f"__{name}__")

    def compare(self, other):
        kind = common_type(self, other)
        if logical:
            truths = isinstance(other, Tensor) and kind is bool_
            only(truths and self._dtype is bool_, f"{name} but of bool")
        one, two, shape = operands(self, other, kind)
        data = array("B", map(function, one, two))
        return fresh(data, shape, bool_, self, other)

    setattr(Tensor, f"__{name}__", compare)


for name in ("eq", "ne", "lt", "le", "gt", "ge", "and", "or"):
    comparison(name)
for name in (
    *("xor", "rxor", "ixor", "floordiv", "rfloordiv", "ifloordiv", "mod"),
    *("rmod", "imod", "lshift", "rlshift", "ilshift", "rshift", "rrshift"),
    *("irshift", "rand", "iand", "ror", "ior", "pos", "delitem", "ipow"),
    *("rpow", "reversed", "complex", "contains", "array"),
):
    setattr(Tensor, f"__{name}__", Tensor._refuse)


def mapped(name, function, slope, saves):
    """Make a function of each element."""

    def one_by_one(self):
        kind = self._dtype
        whole = kind is int64 and name in ("neg", "abs")
        only(kind.rank == 2 or whole, f"{name} of this")
        data = held(map(function, elements(self)), kind.code)
        result = fresh(data, self._shape, kind, self)
        kept = {"input": (self,), "result": (result,), "nothing": ()}[saves]
        slopes = (lambda g: slope(g, self, result),)
        label = name.capitalize() + "Backward0"
        return record(result, label, (self,), slopes, kept)

    method(name, one_by_one)


ONE_BY_ONE = {  # a function; its slope from g, x and y; what it saves
    "sqrt": (
        lambda x: math.sqrt(x) if x >= 0 else math.nan,
        *(lambda g, x, y: g / (2 * y), "result"),
    ),
    "exp": (
        lambda x: math.inf if x > 709.782712893384 else math.exp(x),
        *(lambda g, x, y: g * y, "result"),
    ),
    "log": (
        lambda x: math.log(x) if x > 0 else math.nan if x else -math.inf,
        *(lambda g, x, y: g / x, "input"),
    ),
    "reciprocal": (
        lambda x: 1 / x if x else math.copysign(math.inf, x),
        *(lambda g, x, y: -g * (y * y), "result"),
    ),
    "neg": (operator.neg, lambda g, x, y: -g, "nothing"),
    "abs": (abs, lambda g, x, y: g * ((x > 0) * 1.0 - (x < 0) * 1.0), "input"),
}
for name, how in ONE_BY_ONE.items():
    mapped(name, *how)
Tensor.__neg__, Tensor.__abs__ = Tensor.neg, Tensor.abs


@methods
class Elements:
    """What else is done element by element."""

    def __rsub__(self, other):
        only(not truths(self, other), "sub of bool")
        result = -self.detach() + other
        return record(result, "RsubBackward1", (self,), (operator.neg,))

    def __rtruediv__(self, other):
        return self.reciprocal() * other

    def __pow__(self, exponent):
        only(type(exponent) in (int, float), "this exponent")
        kind, values = common_type(self, exponent), elements(self)
        right = exponent in (1, 2, 3) or self.isfinite().all()
        right = right and (kind.rank == 2 or (exponent == 2 and kind is int64))
        only(right and (exponent or not self._requires), "this power")
        values = cast(values, self._dtype, kind)
        if exponent in (2, 3, -2):  # each product is rounded
            data = held(map(operator.mul, values, values), kind.code)
            if exponent == 3:
                data = held(map(operator.mul, data, values), kind.code)
            elif exponent == -2:
                data = held(
                    map(operator.truediv, repeat(1.0), data), kind.code
                )
        elif exponent == 1:
            data = values[:]
        elif exponent == 0.5:
            data = elements(self.detach()._as(kind).sqrt())
        else:
            powers = repeat(rounded(exponent, float64))
            data = held(map(math.pow, values, powers), kind.code)
        result = fresh(data, self._shape, kind, self)
        slopes = (lambda g: g * (exponent * self ** (exponent - 1)),)
        return record(result, "PowBackward0", (self,), slopes, (self,))

    def __invert__(self):
        only(self._dtype is bool_, "~ but of bool")
        data = array("B", [1 - x for x in elements(self)])
        return fresh(data, self._shape, bool_, self)

    def isfinite(self):
        data = array("B", [x - x == 0 for x in elements(self)])
        return fresh(data, self._shape, bool_, self)

    def isnan(self):
        return self != self

    def square(self):
        return self**2

    def clone(self):
        data = elements(self)[:]
        result = fresh(data, self._shape, self._dtype, self)
        return record(result, "CloneBackward0", (self,), (lambda g: g,))

    def round(self, *, decimals=0):
        only(decimals in range(1, 10), "round with these decimals")
        kind, size = self._dtype, 10.0**decimals
        only(kind.rank == 2 and not self._requires, "round of this")
        data = array(kind.code, [x * size for x in elements(self)])
        only(all(x - x == 0 for x in data), "round of these numbers")
        data = [math.copysign(round(x), x) / size for x in data]
        return fresh(array(kind.code, data), self._shape, kind, self)

    def clamp(self, min=-math.inf, max=math.inf):
        kind, data = self._dtype, elements(self)
        right = type(min) in (int, float) and type(max) in (int, float)
        right = right and math.isfinite(max if min == -math.inf else min)
        right = right and max == max  # nan is no bound
        only(right and kind.rank == 2 and not self._requires, "this clamp")
        low, high = rounded(min, kind), rounded(max, kind)
        data = [low if x < low else x for x in data]
        data = [high if x > high else x for x in data]
        return fresh(array(kind.code, data), self._shape, kind, self)

    def where(self, input=None, other=None):
        right = isinstance(input, Tensor) and isinstance(other, Tensor)
        right = right and input._dtype is other._dtype and self._dtype is bool_
        only(right and input._dtype.rank == 2, "where with these arguments")
        shape = broadcast(broadcast(self._shape, input._shape), other._shape)
        three = [spread(tensor, shape) for tensor in (self, input, other)]
        data = [a if c else b for c, a, b in zip(*three, strict=True)]
        data = array(input._dtype.code, data)
        result = fresh(data, shape, input._dtype, self, input, other)
        slopes = (
            lambda g: Tensor.where(self, g, full_of(0, shape, g._dtype)),
            lambda g: Tensor.where(self, full_of(0, shape, g._dtype), g),
        )
        both = input, other
        return record(result, "WhereBackward0", both, slopes, (self,))

    def equal(self, other):
        right = isinstance(other, Tensor) and self._dtype is other._dtype
        only(right, "equal with this argument")
        same = self._shape == other._shape
        return same and list(elements(self)) == list(elements(other))

    def allclose(self, other, *, atol=1e-08):
        right = isinstance(other, Tensor) and self._dtype is other._dtype
        right = right and self._dtype.rank == 2 and type(atol) is float
        only(right and atol >= 0, "allclose of these")
        self, other = self.detach(), other.detach()
        apart = (self - other).abs()
        near = apart.isfinite() & (apart <= (other * 1e-5).abs() + atol)
        return bool(((self == other) | near).all())

    def zero_(self):
        only(self._node is None, "zero_ of a result")
        return overwrite(self, None, full_of(0, self._shape, self._dtype))
