"""Arithmetic, element by element."""

import math
import operator
from array import array
from itertools import repeat

from ._modes import INFERENCE, RECORDING
from ._tensor import (
    LEAF,
    MARK,
    Tensor,
    api,
    elements,
    fresh,
    known,
    record,
    spread,
    store,
)
from ._types import (
    PYTHON,
    Size,
    bool_,
    cast,
    fitting,
    float32,
    needs,
    only,
    promoted,
    rounded,
)


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
    return Size([b if a == 1 else a for a, b in zip(one, two, strict=True)])


def common_type(a, b):
    """The dtype of a result: dimensions count more than numbers."""
    one = a._dtype
    if type(b) is not Tensor:
        kind = PYTHON[type(b)] if type(b) in PYTHON else needs("this number")
        return one if one.rank >= kind.rank else kind
    two = b._dtype
    if one is two:
        return one
    if bool(a._shape) == bool(b._shape):
        return promoted(one, two)
    many, single = (one, two) if a._shape else (two, one)
    return many if many.rank >= single.rank else single


def is_operand(value):
    """Whether this is a tensor or a number."""
    if isinstance(value, (Tensor, int, float)):
        return True
    only(not isinstance(value, complex), "complex numbers")
    return False


def operands(a, b, kind):
    """The elements of two operands in one type, as long as the result."""
    one = elements(a)
    if a._dtype is not kind:
        one = cast(one, a._dtype, kind)
    if type(b) is not Tensor:
        return one, repeat(rounded(b, kind)), a._shape
    two = elements(b)
    if b._dtype is not kind:
        two = cast(two, b._dtype, kind)
    if a._shape == b._shape:
        return one, two, a._shape
    shape = broadcast(a._shape, b._shape)
    return spread(one, a._shape, shape), spread(two, b._shape, shape), shape


def computed(function, one, two, code):
    """Apply a function to pairs; where Python stops, go on as C does."""
    try:
        return array(code, map(function, one, two))
    except (ZeroDivisionError, OverflowError, ValueError):
        only(function in CAREFUL, "integers beyond 64 bits")
        return array(code, map(CAREFUL[function], one, two))


def divide(a, b):
    """a / b, also by zero."""
    if b:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1, b)


def power(a, b):
    """a ** b, also where the result is infinite or no number."""
    odd = b % 2 == 1
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and odd else math.inf
    except ValueError:
        if a:
            return math.nan
        return math.copysign(math.inf, a) if odd else math.inf


CAREFUL = {operator.truediv: divide, math.pow: power}


def arithmetic(name, function, slopes, saves=False):
    """Make `a + b` and the like, `a += b`, a.add(b), a.add_(b)."""
    record_as = name.capitalize() + "Backward0"

    def forward(self, other):
        if type(other) is not Tensor and not is_operand(other):
            return NotImplemented
        kind = common_type(self, other)
        if name == "sub":
            check_difference(self, other)
        if kind.rank < 2:
            only(kind is not bool_ or name == "div", f"{name} of bool")
            kind = float32 if name == "div" else kind
        one, two, shape = operands(self, other, kind)
        data = computed(function, one, two, kind.code)
        result = fresh(data, shape, kind, self, other)
        if not RECORDING[0]:
            return result
        if type(other) is not Tensor:
            if self._requires:
                kept = (MARK,) if saves else ()
                slope = slopes(self, other)[:1]
                record(result, record_as, (self,), slope, kept)
        elif self._requires or other._requires:
            kept = ()
            if saves:
                kept = [other] * self._requires + [self] * other._requires
            if name == "div" and other._requires:
                kept.append(other)
            both = self, other
            record(result, record_as, both, slopes(self, other), kept)
        return result

    def in_place(self, other):
        result = forward(self, other)
        if result is NotImplemented:
            return result
        return overwrite(self, other, result)

    def method(self, other, *, alpha=1):
        good = alpha == 1 or name in ("add", "sub")
        only(good and type(alpha) in (int, float), f"{name} with this alpha")
        only(is_operand(other), f"{name} with this argument")
        if alpha == 1:
            return forward(self, other)
        sign = 1 if name == "add" else -1
        return scaled(self, other, sign * alpha, record_as)

    def method_in_place(self, other, *, alpha=1):
        return overwrite(self, other, method(self, other, alpha=alpha))

    python = {"div": "truediv"}.get(name, name)
    setattr(Tensor, f"__{python}__", forward)
    setattr(Tensor, f"__r{python}__", forward)
    setattr(Tensor, f"__i{python}__", in_place)
    api(name, method)
    setattr(Tensor, name + "_", known(name + "_", method_in_place))


def check_difference(a, b):
    """Raise for truths: there is no difference between them."""
    two = b._dtype is bool_ if isinstance(b, Tensor) else type(b) is bool
    if a._dtype is bool_ or two:
        only(not two, "a difference of truths")
        raise NotImplementedError(
            "Subtraction, the `-` operator, with a bool tensor is not "
            "supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead."
        )


def scaled(self, other, alpha, name):
    """`self + alpha * other`, rounded once, as processors do."""
    kind = self._dtype
    same = isinstance(other, Tensor) and kind is other._dtype
    only(same and kind.rank == 2, "alpha with these arguments")
    one, two, shape = operands(self, other, kind)
    alpha = fitting(alpha, kind)
    pairs = zip(one, two, strict=True)
    data = array(kind.code, [a + alpha * b for a, b in pairs])
    result = fresh(data, shape, kind, self, other)
    slopes = (lambda g: g), (lambda g: g * alpha)
    return record(result, name, (self, other), slopes)


def check_change(tensor, recorded, which):
    """Raise unless a tensor may change in place, for gradients' sake."""
    only(INFERENCE[0] or not tensor._inference, "changing this")
    places, base = tensor._places, tensor._base
    alone = places is None or len({*places}) == len(places)
    only(alone, "changing an expanded tensor")
    if not RECORDING[0]:
        only(base is None or not tensor._requires, "changing this view")
        return
    if tensor._requires and tensor._node is None:
        raise RuntimeError(which + LEAF + "operation.")
    if base is not None:
        if base._requires and base._node is None:
            raise RuntimeError("a view of a" + LEAF + "operation.")
        recorded = recorded or base._requires
        only(not recorded, "changing a view while operations are recorded")


def overwrite(self, other, result):
    """Put a result in the place of `self`."""
    check_change(self, result._requires, "a")
    if RECORDING[0] and isinstance(other, Tensor) and other._requires:
        only(not result._node.saved, "this change of a recorded tensor")
    if result._dtype.rank > self._dtype.rank:
        raise RuntimeError(
            f"result type {result._dtype.long} can't be cast to the desired "
            f"output type {self._dtype.long}"
        )
    if result._shape != self._shape:
        raise RuntimeError(
            f"output with shape {list(self._shape)} doesn't match the "
            f"broadcast shape {list(result._shape)}"
        )
    store(self, cast(elements(result), result._dtype, self._dtype))
    if result._node is not None:
        self._node, self._requires = result._node, True
    return self


@api("zero_")
def zero_(self):
    only(self._node is None, "zero_ of a result")
    return overwrite(self, None, self._like(0))


@api("reciprocal")
def reciprocal(self):
    kind = self._dtype if self._dtype.rank == 2 else float32
    values = cast(elements(self), self._dtype, kind)
    data = computed(operator.truediv, repeat(1.0), values, kind.code)
    result = fresh(data, self._shape, kind, self)
    slopes = (lambda g: -g * (result * result),)
    return record(result, "ReciprocalBackward0", (self,), slopes, (result,))


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


def __rsub__(self, other):
    if not is_operand(other):
        return NotImplemented
    check_difference(self, other)
    kind = common_type(self, other)
    one, two, shape = operands(self, other, kind)
    data = computed(operator.sub, two, one, kind.code)
    result = fresh(data, shape, kind, self)
    return record(result, "RsubBackward1", (self,), (operator.neg,))


def __rtruediv__(self, other):
    return reciprocal(self) * other if is_operand(other) else NotImplemented


def __pow__(self, exponent):
    if not is_operand(exponent):
        return NotImplemented
    only(not isinstance(exponent, Tensor), "a tensor as an exponent")
    kind = common_type(self, exponent)
    values = cast(elements(self), self._dtype, kind)
    small = kind.rank == 2 or (kind is not bool_ and exponent in (1, 2, 3))
    only(small, "this power of integers")
    square = computed(operator.mul, values, values, kind.code)
    if exponent == 2:
        data = square
    elif exponent == 3:
        data = computed(operator.mul, square, values, kind.code)
    elif exponent == 1:
        data = values[:]
    elif exponent == 0.5:
        data = array(kind.code, map(root, values))
    else:
        data = computed(math.pow, values, repeat(float(exponent)), kind.code)
    result = fresh(data, self._shape, kind, self)
    only(exponent or not self._requires, "the gradient of ** 0")
    slopes = (lambda g: g * (exponent * self ** (exponent - 1)),)
    return record(result, "PowBackward0", (self,), slopes, (self,))


def __rpow__(self, base):
    if not is_operand(base):
        return NotImplemented
    kind = common_type(self, base)
    only(kind.rank == 2 and not self._requires, "this power of a number")
    values = cast(elements(self), self._dtype, kind)
    base = repeat(rounded(base, kind))
    return fresh(
        computed(math.pow, base, values, kind.code), self._shape, kind
    )


def __ipow__(self, exponent):
    only(self._node is None, "**= of a result")
    result = __pow__(self, exponent)
    if result is NotImplemented:
        return result
    return overwrite(self, exponent, result)


def compared(name):
    """Make a comparison: its result is bool."""

    def compare(self, other):
        if not is_operand(other):
            return NotImplemented
        one, two, shape = operands(self, other, common_type(self, other))
        data = array("B", map(getattr(operator, name), one, two))
        return fresh(data, shape, bool_, self, other)

    setattr(Tensor, f"__{name}__", compare)


def logical(name):
    """Make `a & b` and the like, for truths."""

    def combine(self, other):
        for value in (self, other):
            right = isinstance(value, Tensor) and value._dtype is bool_
            only(right, f"__{name}__ but of bool")
        one, two, shape = operands(self, other, bool_)
        data = array("B", map(getattr(operator, f"__{name}__"), one, two))
        return fresh(data, shape, bool_, self, other)

    setattr(Tensor, f"__{name}__", combine)


def refused(name):
    """Make an operator that needs PyTorch."""

    def refuse(*args):
        needs(f"Tensor.{name}")

    setattr(Tensor, name, refuse)


for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    compared(name)
for name in ("and", "or", "xor"):
    logical(name)
    refused(f"__r{name}__")
    refused(f"__i{name}__")
refused("__pos__")
refused("__delitem__")
for name in ("floordiv", "mod", "lshift", "rshift"):
    for kind in ("", "r", "i"):
        refused(f"__{kind}{name}__")


# One tensor


def mapped(name, function, slope=None, saves=True, floats=False):
    """Make a function of each element."""

    @api(name)
    def method(self):
        kind = self._dtype
        right = kind.rank == 2 or (kind.rank and not floats)
        only(right and (slope or not self._requires), f"{name} of this")
        data = array(kind.code, map(function, elements(self)))
        result = fresh(data, self._shape, kind, self)
        kept = (self, result)[saves == "result"]
        slopes = (lambda g: slope(g, self, result),)
        label = name.capitalize() + "Backward0"
        return record(result, label, (self,), slopes, (kept,) if saves else ())

    return method


def root(x):
    return math.sqrt(x) if x >= 0 else math.nan


def exponential(x):
    return math.inf if x > 709 else math.exp(x)


def logarithm(x):
    return math.log(x) if x > 0 else math.nan if x else -math.inf


def sign(x):
    return float((x > 0) - (x < 0))


mapped("sqrt", root, lambda g, x, y: g / (2 * y), "result", True)
mapped("exp", exponential, lambda g, x, y: g * y, "result", True)
mapped("log", logarithm, lambda g, x, y: g / x, floats=True)
mapped("sign", sign, floats=True, saves=False)
Tensor.__neg__ = mapped("neg", operator.neg, lambda g, x, y: -g, False)
Tensor.__abs__ = mapped("abs", abs, lambda g, x, y: g * x.detach().sign())


@api("clone")
def clone(self):
    data = elements(self)[:]
    result = fresh(data, self._shape, self._dtype, self)
    return record(result, "CloneBackward0", (self,), (lambda g: g,))


@api("square")
def square(self):
    return self**2


def __invert__(self):
    only(self._dtype is bool_, "~ but of bool")
    data = array("B", [1 - x for x in elements(self)])
    return fresh(data, self._shape, bool_, self)


def asked(name, question):
    """Make a function that is true or not of each element."""

    def method(self):
        data = array("B", map(question, elements(self)))
        return fresh(data, self._shape, bool_, self)

    api(name, method)


asked("isfinite", lambda x: x - x == 0)
asked("isnan", lambda x: x != x)


@api("round")
def round_(self, *, decimals=0):
    kind = self._dtype
    right = type(decimals) is int and 0 <= decimals < 10 and kind.rank == 2
    only(right and not self._requires, "round with these arguments")
    tens = float(10**decimals)
    data = array(kind.code, [x * tens for x in elements(self)])
    data = array(kind.code, [nearest(x) / tens for x in data])
    return fresh(data, self._shape, kind, self)


def nearest(x):
    """The nearest whole number, of two the even one; -0.2 gives -0."""
    return math.copysign(float(round(x)), x) if x - x == 0 else x


@api("clamp")
def clamp(self, min=None, max=None):
    only(self._dtype.rank == 2 and not self._requires, "clamp of this")
    only((min, max) != (None, None), "clamp without bounds")
    values, kind = elements(self), self._dtype
    if min is not None:
        only(type(min) in (int, float), "clamp with this bound")
        low = fitting(min, kind)
        values = [low if x < low else x for x in values]
    if max is not None:
        only(type(max) in (int, float), "clamp with this bound")
        high = fitting(max, kind)
        values = [high if x > high else x for x in values]
    return fresh(array(kind.code, values), self._shape, kind, self)


@api("where")
def where(condition, input, other):
    only(condition._dtype is bool_, "where with a condition but of bool")
    kinds = [v._dtype for v in (input, other) if isinstance(v, Tensor)]
    right = all(map(is_operand, (input, other))) and kinds
    only(right and {*kinds} == {kinds[0]}, "where with these types")
    (kind, *_), parts, shape = kinds, [], condition._shape
    only(kind.rank == 2, "where of integers")
    for value in (input, other):
        if not isinstance(value, Tensor):
            value = fresh(
                array(kind.code, (fitting(value, kind),)), Size(), kind
            )
        parts.append(value)
        shape = broadcast(shape, value._shape)
    three = [spread(elements(t), t._shape, shape) for t in (condition, *parts)]
    data = [a if c else b for c, a, b in zip(*three, strict=True)]
    result = fresh(array(kind.code, data), shape, kind, condition, *parts)
    slopes = (
        lambda g: where(condition, g, 0.0),
        lambda g: where(condition, 0.0, g),
    )
    return record(result, "WhereBackward0", parts, slopes, (condition,))


@api("equal")
def equal(self, other):
    only(isinstance(other, Tensor), "equal with this argument")
    only(self._dtype is other._dtype, "equal of two dtypes")
    same = self._shape == other._shape
    return same and list(elements(self)) == list(elements(other))


@api("allclose")
def allclose(self, other, rtol=1e-05, atol=1e-08):
    only(isinstance(other, Tensor), "allclose with this argument")
    only(self._dtype is other._dtype, "allclose of two dtypes")
    right = all(type(x) in (int, float) and x >= 0 for x in (rtol, atol))
    only(right, "allclose with these tolerances")
    shape = broadcast(self._shape, other._shape)
    one = spread(elements(self), self._shape, shape)
    two = spread(elements(other), other._shape, shape)
    for a, b in zip(one, two, strict=True):
        allowed = atol + abs(rtol * b)
        if a != b and not (abs(a - b) <= allowed < math.inf):
            return False
    return True


for made in (__rsub__, __rtruediv__, __pow__, __rpow__, __ipow__, __invert__):
    setattr(Tensor, made.__name__, made)
