"""PyTorch's random numbers: the Mersenne Twister, and what is made of it."""

import math
import struct
import time
from array import array
from math import prod
from random import Random

from ._making import check_options, function, grad, sized
from ._tensor import fresh
from ._types import Partial, Size, float32, int64, only, uint8

TWO_PI = 2 * math.pi


class Generator(Partial):
    """A source of random numbers; the same seed gives the same ones."""

    def __init__(self):
        self.manual_seed(67280421310721)

    def manual_seed(self, seed):
        right = type(seed) is int and 0 <= seed < 2**64
        only(right, "this random seed")
        self._seed, self._spare, self._random = seed, None, Random()
        self._drawn = False
        words = [seed & 0xFFFFFFFF]
        for i in range(1, 624):
            mixed = words[-1] ^ (words[-1] >> 30)
            words.append((1812433253 * mixed + i) & 0xFFFFFFFF)
        self._random.setstate((3, (*words, 624), None))
        return self

    def initial_seed(self):
        return self._seed

    def _words(self, n):
        """The next n numbers of 32 bits."""
        self._drawn = self._drawn or n > 0
        bits = self._random.getrandbits(32 * n) if n else 0
        return array("I", bits.to_bytes(4 * n, "little"))

    def get_state(self):
        """The state as PyTorch lays it out."""
        *words, place = self._random.getstate()[1]
        spare, step = self._spare, place if self._drawn else 0
        data = struct.pack(
            "<QiiQ624QdddQQ",
            *(self._seed, 625 - place, 1, step, *words),
            *(0, spare or 0, 0, spare is not None, 0),
        )
        return fresh(array("B", data), Size((len(data),)), uint8)


DEFAULT = Generator().manual_seed(time.time_ns())


def source_of(name, generator):
    only(generator is None or isinstance(generator, Generator), name)
    return generator or DEFAULT


@function
def manual_seed(seed):
    return DEFAULT.manual_seed(seed)


@function
def get_rng_state():
    return DEFAULT.get_state()


def uniform(source, n, kind):
    """n numbers from 0 to 1."""
    if kind is float32:
        words = source._words(n)
        return array("f", [(word & 0xFFFFFF) / 2**24 for word in words])
    return array("d", doubles(source, n))


def doubles(source, n):
    words = source._words(2 * n)
    pairs = zip(words[::2], words[1::2], strict=True)
    return [((a << 32 | b) & (2**53 - 1)) / 2**53 for a, b in pairs]


def normal(source, n, kind):
    """n numbers from N(0, 1), in pairs (Box and Muller, 1958)."""
    if n < 16:
        return array(kind.code, [one_normal(source) for _ in range(n)])
    values, whole = uniform(source, n, kind), n - n % 16
    turn = turned32 if kind is float32 else turned64
    values[:whole] = turn(values[:whole])
    if whole < n:  # the last sixteen are drawn anew
        values[-16:] = turn(uniform(source, 16, kind))
    return values


def one_normal(source):
    """One number; every second one was kept from before."""
    if source._spare is not None:
        spare, source._spare = source._spare, None
        return spare
    one, two = doubles(source, 2)
    radius, angle = math.sqrt(-2 * math.log1p(-two)), TWO_PI * one
    source._spare = radius * math.sin(angle)
    return radius * math.cos(angle)


def halves(values):
    """Of each sixteen the first eight, and the last eight."""
    first, last = array(values.typecode), array(values.typecode)
    for i in range(0, len(values), 16):
        first += values[i : i + 8]
        last += values[i + 8 : i + 16]
    return first, last


def joined(first, last):
    values = array(first.typecode)
    for i in range(0, len(first), 8):
        values += first[i : i + 8]
        values += last[i : i + 8]
    return values


def turned64(values):
    first, last = halves(values)
    radius = [math.sqrt(-2 * math.log(1 - u)) for u in first]
    angle = [TWO_PI * u for u in last]
    pairs = list(zip(radius, angle, strict=True))
    return joined(
        array("d", [r * math.cos(a) for r, a in pairs]),
        array("d", [r * math.sin(a) for r, a in pairs]),
    )


def turned32(values):
    """The same with float32's logarithm, sine and cosine of ATen."""
    first, last = halves(values)
    logs = log32(single(1 - u for u in first))
    radius = single(math.sqrt(r) for r in single(-2 * x for x in logs))
    two_pi = single([2 * math.pi])[0]
    sines, cosines = sincos32(single(two_pi * u for u in last))
    return joined(
        single(r * c for r, c in zip(radius, cosines, strict=True)),
        single(r * s for r, s in zip(radius, sines, strict=True)),
    )


def single(numbers):
    """Rounded to float32."""
    return array("f", numbers)


def polynomial(coefficients, x):
    """Horner's rule, each step rounded once."""
    first, *rest = single(coefficients)
    total = [first] * len(x)
    for c in rest:
        total = single([t * a + c for t, a in zip(total, x, strict=True)])
    return total


LOG = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1,
    1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
    3.3333331174e-1,
)  # fmt: skip
SINE = -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1
COSINE = 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2
HALF = single([0.707106781186547524])[0]
LOG_LOW, LOG_HIGH = single([-2.12194440e-4])[0], 0.693359375
PI_QUARTERS = single([0.78515625, 2.4187564849853515625e-4,
                      3.77489497744594108e-8])  # fmt: skip
FOUR_OVER_PI = single([1.27323954473516])[0]


def log32(x):
    """avx_mathfun's log256_ps."""
    small, powers = [], []
    for number in x:
        part, power = math.frexp(number)
        if part < HALF:
            part, power = 2 * part, power - 1
        small.append(part - 1)
        powers.append(power)
    small = single(small)
    squares = single([a * a for a in small])
    y = polynomial(LOG, small)
    y = single([t * a for t, a in zip(y, small, strict=True)])
    y = single([t * z for t, z in zip(y, squares, strict=True)])
    y = single([t + e * LOG_LOW for t, e in zip(y, powers, strict=True)])
    y = single([t - 0.5 * z for t, z in zip(y, squares, strict=True)])
    total = single([a + t for a, t in zip(small, y, strict=True)])
    return single(
        [t + e * LOG_HIGH for t, e in zip(total, powers, strict=True)]
    )


def sincos32(x):
    """avx_mathfun's sincos256_ps, for x from 0 up."""
    octants = [(int(q) + 1) & ~1 for q in single(a * FOUR_OVER_PI for a in x)]
    for part in PI_QUARTERS:
        x = single([a - j * part for a, j in zip(x, octants, strict=True)])
    squares = single([a * a for a in x])
    cosine = polynomial(COSINE, squares)
    cosine = single([c * z for c, z in zip(cosine, squares, strict=True)])
    cosine = single([c * z for c, z in zip(cosine, squares, strict=True)])
    cosine = single(
        [c - z * 0.5 for c, z in zip(cosine, squares, strict=True)]
    )
    cosine = single([c + 1 for c in cosine])
    sine = polynomial(SINE, squares)
    sine = single([s * z for s, z in zip(sine, squares, strict=True)])
    sine = single([s * a + a for s, a in zip(sine, x, strict=True)])
    sines, cosines = [], []
    for s, c, j in zip(sine, cosine, octants, strict=True):
        if j & 2:
            s, c = c, s
        sines.append(-s if j & 4 else s)
        cosines.append(-c if (j + 2) & 4 else c)
    return single(sines), single(cosines)


def drawn(name, draw):
    """Make rand or randn."""

    def made(
        *size, generator=None, dtype=None, device=None, requires_grad=False
    ):
        kind, shape = check_options(dtype, device), sized(name, size)
        only(kind.rank == 2, f"{name} of integers")
        data = draw(source_of(name, generator), prod(shape), kind)
        result = fresh(data, shape, kind)
        return result.requires_grad_() if grad(requires_grad) else result

    made.__name__ = name
    function(made)


drawn("randn", normal)
drawn("rand", uniform)


@function
def randperm(n, *, generator=None):
    """Shuffle 0 to n - 1 (Fisher and Yates, 1938)."""
    only(type(n) is int and n >= 0, "randperm of this")
    source, order = source_of("randperm", generator), array("q", range(n))
    for i, word in enumerate(source._words(max(n - 1, 0))):
        j = i + word % (n - i)
        order[i], order[j] = order[j], order[i]
    return fresh(order, Size((n,)), int64)
