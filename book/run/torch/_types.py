"""What tensors are made of: types, sizes, and the error of what is missing."""

import math
from array import array
from functools import cache, partial, wraps


class NeedsPyTorch(BaseException):
    """Something that only PyTorch itself can do.

    It is no Exception: a reader's `except Exception` must not hide it, or he
    would be told something that PyTorch does not say.
    """

    def __str__(self):
        return f"needs PyTorch: {self.args[0]}"


def needs(name, *unused):
    """Refuse: rather no answer than another one than PyTorch's."""
    raise NeedsPyTorch(name)


def only(fine, name):
    """Refuse what is not known to be done as PyTorch does it."""
    if not fine:
        raise NeedsPyTorch(name)


@cache
def names():
    """The names that PyTorch's modules and objects have."""
    path = __file__.replace("_types.py", "names.txt")
    lines = __spec__.loader.get_data(path).decode().splitlines()
    return {owner: {*there} for owner, *there in map(str.split, lines)}


def refusing(module, title="module '{}'"):
    """Make a module's `__getattr__`: what is not in it needs PyTorch."""
    title = title.format(module)

    def missing(name):
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        there = names().get(module)
        if there and name[0] != "_" and name not in there:
            raise AttributeError(f"{title} has no attribute '{name}'")
        needs(f"{module}.{name}")

    return missing


def known(function, name="", owner=object):
    """Refuse arguments that a function does not know: PyTorch may."""
    code, name = function.__code__, name or function.__qualname__
    named = code.co_argcount + code.co_kwonlyargcount
    names = {*code.co_varnames[code.co_posonlyargcount : named]}
    most = 99 if code.co_flags & 4 else code.co_argcount  # 4: *args

    @wraps(function)
    def checked(*args, **kwargs):
        known = not kwargs or code.co_flags & 8 or kwargs.keys() <= names
        known = known and len(args) <= most  # 8: **kwargs
        if not (known and isinstance((*args, 0)[0], owner)):
            needs(f"{name} with these arguments")
        return function(*args, **kwargs)

    return checked


class Partial:
    """Something of which a part is here; the rest needs PyTorch."""

    def __getattr__(self, name):
        refusing(type(self).__name__, "'{}' object")(name)

    def _refuse(self, *args):
        needs(f"this use of {type(self).__name__}")

    __repr__ = __dir__ = __reduce_ex__ = _refuse


class dtype(Partial):
    """A type of numbers; `code` is that of Python's `array`."""

    def __init__(self, name, long, code, rank):
        self._name, self._long, self.code, self.rank = name, long, code, rank
        self.is_floating_point = rank == 2

    def __repr__(self):
        return f"torch.{self._name}"


bool_ = dtype("bool", "Bool", "B", 0)
int64 = dtype("int64", "Long", "q", 1)
float32 = dtype("float32", "Float", "f", 2)
float64 = dtype("float64", "Double", "d", 2)
int32 = dtype("int32", "Int", "i", 1)  # these two can only be looked at
uint8 = dtype("uint8", "Byte", "B", 1)
dtype.__init__ = lambda *args: needs("torch.dtype(...)")
PYTHON = {bool: bool_, int: int64, float: float32}
ORDER = [bool_, int64, float32, float64]


class Size(tuple):
    """The shape of a tensor."""

    __slots__ = ()

    def __new__(cls, sizes=()):
        only({*map(type, sizes)} <= {int}, "torch.Size of these")
        return tuple.__new__(cls, sizes)

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, index):
        part = tuple.__getitem__(self, index)
        return sized(part) if type(part) is tuple else part

    def __add__(self, other):
        return sized(tuple.__add__(self, other))

    def __radd__(self, other):
        return sized(tuple.__add__(other, self))

    def __mul__(self, times):
        needs("torch.Size * number")

    __rmul__ = __mul__

    def numel(self):
        return math.prod(self)


sized = partial(tuple.__new__, Size)  # the quick way


def check_dtype(kind):
    """Return a dtype, or None."""
    only(kind is None or kind in ORDER, f"dtype {kind!r}")
    return kind


def rounded(number, kind):
    """A Python number as an element of this dtype."""
    if type(number) is int or kind.rank == 1:
        right = abs(number) < 2 ** (31 if kind.rank == 1 else 63)
        only(right, f"this number as {kind}")
    if kind.rank < 2:
        return int(number) if kind.rank else bool(number)
    found = array(kind.code, (number,))[0]
    right = abs(found) < math.inf or number - number != 0
    only(right, f"{number} as {kind}")
    return found


def held(values, code):
    """These numbers in an array, if it can hold them."""
    try:
        return array(code, values)
    except (ArithmeticError, ValueError):
        needs("numbers so large, or division by zero")


def cast(values, old, new):
    """Elements of one dtype as those of another."""
    if old is new:
        return values
    if new is bool_:
        return array("B", [value != 0 for value in values])
    whole = new.rank == 1 and old.rank == 2
    return held(map(int, values) if whole else values, new.code)


def promoted(one, two):
    """The dtype that can hold both."""
    only(one in ORDER and two in ORDER, f"arithmetic of {one} and {two}")
    return max(one, two, key=ORDER.index)
