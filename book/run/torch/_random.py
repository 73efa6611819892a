"""PyTorch's random numbers: the Mersenne Twister, and what is made of it."""

import math
import struct
import time
from array import array
from operator import add, mul
from random import Random

from ._making import function, leaf, options
from ._tensor import fresh, size_of
from ._types import Partial, int64, known, only, sized, uint8


class Generator(Partial):
    """A source of random numbers; the same seed gives the same ones."""

    @known
    def __init__(self):
        self.manual_seed(67280421310721)

    @known
    def manual_seed(self, seed, /):
        only(type(seed) is int and 0 <= seed < 2**64, "this random seed")
        self._seed, self._spare, self._random = seed, None, Random()
        self._drawn, words = False, [seed & 0xFFFFFFFF]
        for i in range(1, 624):
            mixed = words[-1] ^ (words[-1] >> 30)
            words.append((1812433253 * mixed + i) & 0xFFFFFFFF)
        self._random.setstate((3, (*words, 624), None))
        return self

    def get_state(self):
        """The state as PyTorch lays it out."""
        *words, place = self._random.getstate()[1]
        spare, step = self._spare, place if self._drawn else 0
        data = struct.pack(
            "<QiiQ624QdddQQ",
            *(self._seed, 625 - place, 1, step, *words),
            *(0, spare or 0, 0, spare is not None, 0),
        )
        return fresh(array("B", data), sized((len(data),)), uint8)

    def _words(self, n):
        """The next n numbers of 32 bits."""
        self._drawn = self._drawn or n > 0
        bits = self._random.getrandbits(32 * n) if n else 0
        return array("I", bits.to_bytes(4 * n, "little"))

    def _uniform(self, n, code):
        """Numbers from 0 to 1."""
        if code == "f":
            return array(code, [(w % 2**24) / 2**24 for w in self._words(n)])
        words = self._words(2 * n)
        pairs = zip(words[::2], words[1::2], strict=True)
        return array(code, [(a % 2**21 * 2**32 + b) / 2**53 for a, b in pairs])

    def _single(self):
        """One normal number; every second one was kept from before."""
        found, self._spare = self._spare, None
        if found is None:
            one, two = self._uniform(2, "d")
            radius = math.sqrt(-2 * math.log1p(-two))
            self._spare = radius * math.sin(2 * math.pi * one)
            found = radius * math.cos(2 * math.pi * one)
        return found

    def _normal(self, n, code):
        """Numbers from N(0, 1), in pairs (Box and Muller, 1958).

        Of sixteen, eight give the distance from 0 and eight the direction;
        the last sixteen are drawn anew, if some are left over.
        """
        if n < 16:
            return array(code, [self._single() for _ in range(n)])
        values, whole = self._uniform(n, code), n - n % 16
        values[:whole] = turned(values[:whole])
        if n > whole:
            values[-16:] = turned(self._uniform(16, code))
        return values


def turned(values):
    """Make uniform numbers normal, sixteen by sixteen."""
    code, starts = values.typecode, range(0, len(values), 16)
    first = array(code, [1 - u for i in starts for u in values[i : i + 8]])
    last = [u for i in starts for u in values[i + 8 : i + 16]]
    if code == "d":
        radius = [math.sqrt(-2 * math.log(u)) for u in first]
        angle = [2 * math.pi * u for u in last]
        sines, cosines = map(math.sin, angle), map(math.cos, angle)
    else:
        radius = each(math.sqrt, each(lambda x: -2 * x, log32(first)))
        sines, cosines = sincos32([TWO_PI * u for u in last])
    halves = [*map(mul, radius, cosines)], [*map(mul, radius, sines)]
    eights = range(0, len(first), 8)
    found = [x for i in eights for half in halves for x in half[i : i + 8]]
    return array(code, found)


# The logarithm, sine and cosine of ATen (avx_mathfun), for float32


def each(function, *columns):
    """Apply a function, and round to float32."""
    return array("f", map(function, *columns))


def polynomial(coefficients, x):
    """Horner's rule, each step rounded once."""
    total, *rest = (array("f", (c,)) * len(x) for c in coefficients)
    for c in rest:
        total = each(lambda t, a, b: t * a + b, total, x, c)
    return total


LOG = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1),
    *(1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1),
    3.3333331174e-1,
)
SINE = -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1
COSINE = 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2
TWO_PI, FOUR_OVER_PI, HALF, LOG_LOW, LOG_HIGH = array(
    "f",
    (2 * math.pi, 1.27323954473516, 0.5**0.5, -2.12194440e-4, 0.693359375),
)
PI_QUARTERS = array("f", (0.78515625, 2.4187564849853515625e-4,
                          3.77489497744594108e-8))  # fmt: skip


def log32(x):
    parts = [math.frexp(u) for u in x]
    powers = [power - (part < HALF) for part, power in parts]
    x = each(lambda u, power: u * 2.0**-power - 1, x, powers)
    squares = each(mul, x, x)
    low = each(lambda power: power * LOG_LOW, powers)
    y = each(mul, polynomial(LOG, x), x)
    y = each(lambda t, z, part: t * z + part, y, squares, low)
    y = each(lambda t, z: t - 0.5 * z, y, squares)
    y = each(add, x, y)
    return each(lambda t, power: t + power * LOG_HIGH, y, powers)


def sincos32(x):
    x = array("f", x)
    octants = [(int(q) + 1) & ~1 for q in each(lambda a: a * FOUR_OVER_PI, x)]
    for quarter in PI_QUARTERS:
        x = each(lambda a, j, part=quarter: a - j * part, x, octants)
    squares = each(mul, x, x)
    cosine = each(mul, polynomial(COSINE, squares), squares)
    cosine = each(lambda c, z: c * z - z * 0.5, cosine, squares)
    cosine = each(lambda c: c + 1, cosine)
    sine = each(mul, polynomial(SINE, squares), squares)
    sine = each(lambda s, a: s * a + a, sine, x)
    swapped = [
        (c, s) if j & 2 else (s, c)
        for s, c, j in zip(sine, cosine, octants, strict=True)
    ]
    pairs = list(zip(swapped, octants, strict=True))
    sines = [-s if j & 4 else s for (s, _), j in pairs]
    return sines, [-c if (j + 2) & 4 else c for (_, c), j in pairs]


DEFAULT = Generator().manual_seed(time.time_ns())


@function
def manual_seed(seed):
    return DEFAULT.manual_seed(seed)


@function
def get_rng_state():
    return DEFAULT.get_state()


def draw(name, size, draw, generator, settings):
    """The tensor that randn or rand returns."""
    source = DEFAULT if generator is None else generator
    kind, grad = options(**settings)
    right = isinstance(source, Generator) and kind.rank == 2
    only(right, f"{name} with these arguments")
    shape = size_of(name, size)
    return leaf(
        fresh(draw(source, shape.numel(), kind.code), shape, kind), grad
    )


@function
def randn(*size, generator=None, **settings):
    return draw("randn", size, Generator._normal, generator, settings)


@function
def rand(*size, generator=None, **settings):
    return draw("rand", size, Generator._uniform, generator, settings)


@function
def randperm(n, *, generator=None):
    """Shuffle 0 to n - 1 (Fisher and Yates, 1938)."""
    source = DEFAULT if generator is None else generator
    right = isinstance(source, Generator) and type(n) is int and n >= 0
    only(right, "randperm with these arguments")
    order = array("q", range(n))
    for i, word in enumerate(source._words(max(n - 1, 0))):
        j = i + word % (n - i)
        order[i], order[j] = order[j], order[i]
    return fresh(order, sized((n,)), int64)
