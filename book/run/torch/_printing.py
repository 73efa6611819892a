"""How PyTorch prints a tensor, and what it says of a lost gradient.

The numbers as torch/_tensor_str.py does.
"""

import math

from ._types import bool_, float32, int64

FREED = (
    "Trying to backward through the graph a second time (or directly access "
    "saved tensors after they have already been freed). Saved intermediate "
    "values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward "
    "through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


def text(tensor):
    """What `repr(tensor)` shows."""
    suffixes, printed = [], "[]"
    usual = (float32, int64, bool_) if tensor.numel() else (float32,)
    if tensor.numel():
        numbers = tensor.tolist() if tensor.ndim else [tensor.item()]
        if tensor.numel() > 1000:
            numbers = shortened(numbers)
        rows = numbers if tensor.ndim == 2 else [numbers]
        seen = [n for row in rows if row is not ... for n in row]
        seen = [n for n in seen if n is not ...]
        write, width = writer(seen, tensor.dtype)
        printed = block(numbers, tensor.ndim, len("tensor("), write, width)
    elif tensor.ndim != 1:
        suffixes.append(f"size={tuple(tensor.shape)}")
    if tensor.dtype not in usual:
        suffixes.append(f"dtype={tensor.dtype}")
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn=<{type(tensor.grad_fn).__name__}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    printed = "tensor(" + printed
    last = len(printed) - printed.rfind("\n") + 1
    for suffix in suffixes:  # in the same line if there is room
        last += len(suffix) + 2
        if last > 80:
            last = len("tensor(") + len(suffix)
            printed += ",\n" + " " * len("tensor(") + suffix
        else:
            printed += ", " + suffix
    return printed + ")"


def shortened(numbers):
    """The first and last three of more than six, in each dimension."""
    if len(numbers) > 6:
        numbers = [*numbers[:3], ..., *numbers[-3:]]
    return [shortened(n) if isinstance(n, list) else n for n in numbers]


def writer(numbers, kind):
    """A function that writes a number, and how wide it is at most."""
    if not kind.is_floating_point:
        return str, max(len(str(n)) for n in numbers)
    finite = [n for n in numbers if n and math.isfinite(n)]
    small = min(map(abs, finite), default=1)
    large = max(map(abs, finite), default=1)
    whole = all(n == math.ceil(n) for n in finite)

    def write(n):
        if large / small > 1000 or large > 1e8 or small < 1e-4:
            return f"{n:.4e}"
        return f"{n:.0f}" + "." * math.isfinite(n) if whole else f"{n:.4f}"

    return write, max((len(write(n)) for n in finite), default=1)


def block(numbers, ndim, indent, write, width):
    """Rows in brackets, the inner ones further right."""
    space = " " * (indent + 1)
    if ndim == 2:
        rows = [
            "..." if row is ... else block(row, 1, indent + 1, write, width)
            for row in numbers
        ]
        return "[" + f",\n{space}".join(rows) + "]"
    words = [" ..." if n is ... else write(n).rjust(width) for n in numbers]
    if ndim == 0:
        return words[0]
    many = max(1, (80 - indent) // (width + 2))
    starts = range(0, len(words), many)
    lines = [", ".join(words[i : i + many]) for i in starts]
    return "[" + f",\n{space}".join(lines) + "]"


def changed(tensor, version, node):
    """Say which saved tensor was changed in place."""
    which = ""
    if node:
        name = type(node).__name__.partition("Backward")[0]
        which = f", which is output 0 of {name},"
    raise RuntimeError(
        "one of the variables needed for gradient computation has been "
        "modified by an inplace operation: "
        f"[torch.{tensor._dtype._long}Tensor {list(tensor._shape)}]{which} "
        f"is at version {tensor._changes[0]}; "
        f"expected version {version} instead. Hint: enable anomaly detection "
        "to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
