"""How PyTorch prints a tensor: the numbers as torch/_tensor_str.py does."""

import math

from ._types import bool_, float32, int64

PRECISION, THRESHOLD, EDGE, WIDTH = 4, 1000, 3, 80


def text(tensor):
    """What `repr(tensor)` shows."""
    suffixes = []
    if tensor.numel() == 0:
        if tensor.ndim != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
        if tensor.dtype is not float32:
            suffixes.append(f"dtype={tensor.dtype}")
        printed = "[]"
    else:
        if tensor.dtype not in (float32, int64, bool_):
            suffixes.append(f"dtype={tensor.dtype}")
        short = tensor.numel() > THRESHOLD
        numbers = shortened(tensor.tolist(), tensor.ndim, short)
        write = writer(list(flat(numbers)), tensor.dtype)
        printed = block(numbers, tensor.ndim, len("tensor("), write)
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(tensor.grad_fn).__name__}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return with_suffixes("tensor(" + printed, suffixes)


def shortened(numbers, ndim, short):
    """Of many numbers only those at the edges, with None for the others."""
    if ndim == 0:
        return numbers
    if short and len(numbers) > 2 * EDGE:
        numbers = [*numbers[:EDGE], None, *numbers[-EDGE:]]
    return [
        n and shortened(n, ndim - 1, short) if ndim > 1 else n for n in numbers
    ]


def flat(numbers):
    if isinstance(numbers, list):
        for part in numbers:
            yield from flat(part)
    elif numbers is not None:
        yield numbers


def writer(numbers, kind):
    """A function that writes a number, all of them equally long."""
    if not kind.is_floating_point:
        width = max(len(str(n)) for n in numbers)
        return lambda n: str(n).rjust(width), width
    finite = [n for n in numbers if n and math.isfinite(n)]
    whole, scientific, width = True, False, 1
    if finite:
        small, large = min(map(abs, finite)), max(map(abs, finite))
        whole = all(n == math.ceil(n) for n in finite)
        scientific = large / small > 1000 or large > 1e8 or small < 1e-4
        how = f".{PRECISION}e" if scientific else f".{PRECISION}f"
        if whole and not scientific:
            width = max(len(f"{n:.0f}") + 1 for n in finite)
        else:
            width = max(len(format(n, how)) for n in finite)

    def write(n):
        if scientific:
            written = f"{n:.{PRECISION}e}"
        elif whole:
            written = f"{n:.0f}" + "." * math.isfinite(n)
        else:
            written = f"{n:.{PRECISION}f}"
        return written.rjust(max(width, 1))

    return write, width


def block(numbers, ndim, indent, write):
    """Rows in brackets, the inner ones further right."""
    if ndim == 0:
        return write[0](numbers)
    if ndim == 1:
        each, width = write
        in_line = max(1, (WIDTH - indent) // (width + 2))
        words = [" ..." if n is None else each(n) for n in numbers]
        lines = [
            ", ".join(words[i : i + in_line])
            for i in range(0, len(words), in_line)
        ]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = [
        "..." if row is None else block(row, ndim - 1, indent + 1, write)
        for row in numbers
    ]
    between = "," + "\n" * (ndim - 1) + " " * (indent + 1)
    return "[" + between.join(rows) + "]"


def with_suffixes(printed, suffixes):
    """Behind the numbers what else there is to say, if need be below them."""
    last = len(printed) - printed.rfind("\n") + 1
    indent = len("tensor(")
    for suffix in suffixes:
        if last + len(suffix) + 2 > WIDTH:
            printed += ",\n" + " " * indent + suffix
            last = indent + len(suffix)
        else:
            printed += ", " + suffix
            last += len(suffix) + 2
    return printed + ")"
