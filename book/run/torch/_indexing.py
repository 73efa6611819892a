"""What stands in brackets: numbers, slices, lists, tensors."""

from array import array

from ._making import tensor as tensor_of
from ._math import check_change
from ._tensor import (
    MARK,
    MODE,
    Tensor,
    elements,
    fresh,
    full_of,
    is_turned,
    overlap,
    part,
    record,
    select,
    spread,
    steps_of,
    store,
    view,
)
from ._types import bool_, cast, int64, only, rounded, sized


def get(tensor, index):
    """`tensor[index]`: a view, or with a list or tensor a copy."""
    if isinstance(index, (list, Tensor)):
        return rows_of(tensor, index)
    seen = seen_at(tensor, index)
    if seen is tensor:
        seen = view(tensor, tensor._shape, tensor._strides, tensor._start)
        record(seen, "AliasBackward0", (tensor,), (lambda g: g,))
    return seen


def seen_at(tensor, index):
    """Apply numbers, slices, None and ..., one dimension after the other."""
    items, dim, ndim = [index], 0, len(tensor._shape)
    if type(index) is tuple:
        items = list(index)
    used = sum(item is not None and item is not ... for item in items)
    several = sum(item is ... for item in items)
    only(used <= ndim and several < 2, "so many indices")
    for at, item in enumerate(items):
        known = item is None or item is ... or type(item) in (int, slice)
        only(known, f"{type(item).__name__} as an index")
        if item is None:
            tensor = unsqueezed(tensor, dim)
        elif item is ...:
            dim += ndim - used - 1
        elif type(item) is int:
            tensor, dim = select(tensor, dim, item, at=at), dim - 1
        else:
            tensor = sliced(tensor, dim, item, len(items) > 1)
        dim += 1
    return tensor


def unsqueezed(tensor, dim):
    """One more dimension, of size 1."""
    old, steps = tensor._shape, steps_of(tensor)
    step = old[dim] * steps[dim] if dim < len(old) else 1
    strides = (*steps[:dim], step, *steps[dim:])
    shape = sized((*old[:dim], 1, *old[dim:]))
    seen = view(tensor, shape, strides, tensor._start)
    slopes = (lambda g: g.reshape(old),)
    return record(seen, "UnsqueezeBackward0", (tensor,), slopes)


def sliced(tensor, dim, rows, skip):
    """Some rows, or columns; a slice that leaves all may be skipped."""
    ends = (rows.start, rows.stop, rows.step)
    right = all(end is None or type(end) is int for end in ends)
    only(right and (rows.step or 1) > 0, "a slice of these bounds")
    size, whole = tensor._shape[dim], not rows.start and rows.step in (None, 1)
    if skip and whole and (rows.stop is None or rows.stop >= size):
        return tensor
    rows = range(*rows.indices(size))
    return part(tensor, dim, rows, "SliceBackward0")


def rows_of(tensor, index):
    """Copies of the rows that a list or tensor picks, by number or truth."""
    if isinstance(index, list):
        only({*map(type, index)} in ({int}, {bool}), "this list as an index")
        index = tensor_of(index)
    if index._dtype.rank == 2:
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors"
        )
    only(index._dtype in (int64, bool_) and tensor.numel(), "this index")
    if not index._shape and index._dtype is int64:
        return seen_at(tensor, index.item())
    numbers, high = elements(index), tensor._shape[0] if tensor._shape else 0
    only(len(index._shape) == 1 and not is_turned(tensor), "this index")
    if index._dtype is bool_:
        only(len(numbers) == high, "a mask of another length")
        numbers = [i for i, true in enumerate(numbers) if true]
    only(all(-high <= i < high for i in numbers), "an index out of bounds")
    values, old = elements(tensor), tensor._shape
    width, data = len(values) // high, values[:0]
    for i in numbers:
        start = i % high * width
        data += values[start : start + width]

    def slope(gradient):  # zeros, but for these rows
        whole, given = full_of(0, old, gradient._dtype), elements(gradient)
        for k, i in enumerate(numbers):
            for j in range(width):
                whole._data[i % high * width + j] += given[k * width + j]
        return whole

    shape = sized((len(numbers), *old[1:]))
    result = fresh(data, shape, tensor._dtype)
    result._unsure = tensor._strides is not None
    return record(result, "IndexBackward0", (tensor,), (slope,), (MARK,))


def put(tensor, index, value):
    """`tensor[index] = value`, in place."""
    number, kind = type(value) in (int, float), tensor._dtype
    only(number or isinstance(value, Tensor), "assigning this")
    value = rounded(value, kind) if number else value
    recorded = tensor._requires or not (number or not value._requires)
    seen = seen_at(tensor.detach(), index)
    check_change(tensor, recorded, True)
    only(not recorded or not MODE[0], "a recorded assignment")
    if number:
        values = array(kind.code, (value,)) * seen.numel()
    else:
        only(not overlap(value, seen), "assigning a part of itself")
        values = cast(spread(value, seen._shape), value._dtype, kind)
    store(seen, values)


Tensor.__getitem__, Tensor.__setitem__ = get, put
