"""What tensors are made of: types, sizes, and the error of what is missing."""

from array import array
from math import prod


class NeedsPyTorch(BaseException):
    """Something that only PyTorch itself can do.

    It is no Exception: a reader's `except Exception` must not hide it, or he
    would be told something that PyTorch does not say.
    """

    def __str__(self):
        return f"needs PyTorch: {self.args[0]}"


def needs(name):
    """Refuse: rather no answer than another one than PyTorch's."""
    raise NeedsPyTorch(name)


def only(fine, name):
    """Refuse what is not known to be done as PyTorch does it."""
    if not fine:
        raise NeedsPyTorch(name)


class Partial:
    """Something of which a part is here; the rest needs PyTorch."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        needs(f"{type(self).__name__}.{name}")

    def __repr__(self):
        needs(f"printing of {type(self).__name__}")

    def __reduce_ex__(self, protocol):
        needs(f"copy of {type(self).__name__}")


class dtype(Partial):
    """A type of numbers; `code` is that of Python's `array`."""

    def __init__(self, name, long, code, rank):
        self.name, self.long, self.code, self.rank = name, long, code, rank
        self.is_floating_point = rank == 2

    def __repr__(self):
        return f"torch.{self.name}"


bool_ = dtype("bool", "Bool", "B", 0)
uint8 = dtype("uint8", "Byte", "B", 1)
int32 = dtype("int32", "Int", "i", 1)
int64 = dtype("int64", "Long", "q", 1)
float32 = dtype("float32", "Float", "f", 2)
float64 = dtype("float64", "Double", "d", 2)
PYTHON = {bool: bool_, int: int64, float: float32}


class Size(tuple):
    """The shape of a tensor."""

    __slots__ = ()

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, index):
        part = tuple.__getitem__(self, index)
        return Size(part) if type(part) is tuple else part

    def __add__(self, other):
        return Size(tuple.__add__(self, other))

    def __radd__(self, other):
        return Size(tuple.__add__(other, self))

    def __mul__(self, times):
        return Size(tuple.__mul__(self, times))

    def numel(self):
        return prod(self)


def check_dtype(kind):
    """Return a dtype, or None."""
    only(kind is None or isinstance(kind, dtype), f"dtype {kind!r}")
    return kind


def rounded(number, kind):
    """A Python number as an element of this dtype."""
    if kind.rank == 2:
        return array(kind.code, (number,))[0]
    if kind is bool_:
        return bool(number)
    only(abs(number) < 2**31, f"{number} as an integer")
    return int(number)


def fitting(number, kind):
    """The same, if the number is not too large."""
    found = rounded(number, kind)
    if found - found != 0 and number - number == 0:
        raise RuntimeError(
            "value cannot be converted to type float without overflow"
        )
    return found


def cast(values, old, new):
    """Elements of one dtype as those of another."""
    if old is new:
        return values
    if new is bool_:
        return array("B", [value != 0 for value in values])
    try:
        if new.rank == 1 and old.rank == 2:
            values = map(int, values)
        return array(new.code, values)
    except (OverflowError, ValueError):
        needs(f"numbers that {new} cannot hold")


def promoted(one, two):
    """The dtype that can hold both."""
    only(uint8 not in (one, two) or one is two, "arithmetic with uint8")
    order = [bool_, uint8, int32, int64, float32, float64]
    return max(one, two, key=order.index)
