"""What stands in brackets: numbers, slices, lists, tensors."""

from array import array
from math import prod

from ._making import tensor as tensor_of
from ._math import broadcast, check_change
from ._tensor import (
    Tensor,
    cut,
    elements,
    part_of,
    places_of,
    record,
    select,
    spread,
    store,
    taken,
    view,
)
from ._types import Size, bool_, cast, fitting, only


def get(tensor, index):
    """`tensor[index]`: a view, or with lists and tensors a copy."""
    if type(index) is int and tensor._shape:
        return select(tensor, 0, index)
    if type(index) is slice and tensor._shape:
        return sliced(tensor, 0, index)
    seen, lists = basic(tensor, index)
    if lists:
        return taken(seen, *picked(seen, lists), "IndexBackward0")
    if seen is tensor:
        seen = view(tensor, tensor._shape, tensor._places)
        record(seen, "AliasBackward0", (tensor,), (lambda g: g,))
    return seen


def as_index(item):
    """A number, slice, None, ..., or tensor; the rest is an error."""
    if item is None or item is ... or type(item) in (int, slice):
        return item
    if type(item) is float:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or "
            "byte Variables are valid indices (got float)"
        )
    if isinstance(item, list):
        only(not any(isinstance(part, list) for part in item), "this index")
        item = tensor_of(item) if item else tensor_of(item).long()
    only(isinstance(item, Tensor), f"an index of type {type(item).__name__}")
    if item._dtype.rank == 2:
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors"
        )
    only(item._shape or item._dtype is not bool_, "True or False as an index")
    only(item._dtype.name != "uint8", "an index of type uint8")
    return item if item._shape else item.item()


def basic(tensor, index):
    """Apply numbers, slices, ... and None; return the lists that are left."""
    items = [*map(as_index, index if type(index) is tuple else (index,))]
    ndim, used = len(tensor._shape), 0
    for item in items:
        mask = isinstance(item, Tensor) and item._dtype is bool_
        used += len(item._shape) if mask else item not in (None, ...)
    if used > ndim:
        only(ndim, "an index of a 0-dim tensor")
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    dots = [i for i, item in enumerate(items) if item is ...]
    only(len(dots) < 2, "an index with two ...")
    for i in dots:
        items[i : i + 1] = [slice(None)] * (ndim - used)
    dim, lists = 0, {}
    for item in items:
        if isinstance(item, Tensor):
            lists[dim] = item
            dim += len(item._shape) if item._dtype is bool_ else 1
        elif item is None:
            old = tensor._shape
            shape = (*old[:dim], 1, *old[dim:])
            name = "UnsqueezeBackward0"
            tensor, dim = part_of(tensor, shape, lambda p: p, name), dim + 1
        elif type(item) is int:
            tensor = select(tensor, dim, item)
        else:
            tensor, dim = sliced(tensor, dim, item, True), dim + 1
    return tensor, lists


def sliced(tensor, dim, part, skip=False):
    """A slice of rows or columns; one that cuts nothing may be skipped."""
    for end in (part.start, part.stop, part.step):
        only(end is None or type(end) is int, "a slice of these bounds")
    shape = tensor._shape
    size, inner = shape[dim], prod(shape[dim + 1 :])
    if part.step is not None and part.step < 1:
        raise ValueError("step must be greater than zero")
    from_first = skip and not part.start and part.step in (None, 1)
    if from_first and (part.stop is None or part.stop >= size):
        return tensor
    left = len(range(*part.indices(size)))
    shape = (*shape[:dim], left, *shape[dim + 1 :])
    pick = lambda p: cut(p, size, inner, part)  # noqa: E731
    return part_of(tensor, shape, pick, "SliceBackward0")


def picked(tensor, lists):
    """Where what lists pick is among the elements, and its shape."""
    columns, first, shape = [], min(lists), tensor._shape
    for dim, item in sorted(lists.items()):
        only(dim == first + len(columns), "lists apart in an index")
        if item._dtype is not bool_:
            columns.append(item)
            continue
        for i, size in enumerate(item._shape):
            if size != shape[dim + i]:
                raise IndexError(
                    f"The shape of the mask {list(item._shape)} at index {i} "
                    f"does not match the shape of the indexed tensor "
                    f"{list(shape)} at index {dim + i}"
                )
        columns += item.nonzero().T
    size, stop = columns[0]._shape, first + len(columns)
    only(all(c._shape == size for c in columns), "lists of different lengths")
    only(tensor.numel(), "a list as an index of nothing")
    rest, rows = prod(shape[stop:]), [0] * prod(size)
    for dim, column in enumerate(columns, first):
        high = shape[dim]
        for k, i in enumerate(elements(column)):
            if not -high <= i < high:
                raise IndexError(
                    f"index {i} is out of bounds for dimension {dim} with "
                    f"size {high}"
                )
            rows[k] = rows[k] * high + i % high
    block = prod(shape[first:])
    spots = [
        outer + row * rest + i
        for outer in range(0, tensor.numel(), block)
        for row in rows
        for i in range(rest)
    ]
    return spots, Size((*shape[:first], *size, *shape[stop:]))


def put(tensor, index, value):
    """`tensor[index] = value`, in place."""
    number = isinstance(value, (int, float))
    only(number or isinstance(value, Tensor), "assigning this")
    recorded = not number and value._requires
    check_change(tensor, recorded, "a view of a")
    seen, lists = basic(tensor.detach(), index)
    spots, shape = picked(seen, lists) if lists else (None, seen._shape)
    part = lists or shape != tensor._shape
    recorded = recorded or tensor._requires
    only(not recorded or (part and not lists), "this recorded assignment")
    if number:
        values = array(tensor._dtype.code, (fitting(value, tensor._dtype),))
        values *= prod(shape)
    else:
        only(not lists or value._dtype is tensor._dtype, "assigning this type")
        other = value._data is not tensor._data
        same = not lists and value._places == seen._places  # x[0] += 1
        only(other or same, "assigning a part of itself")
        only(broadcast(value._shape, shape) == shape, "assigning this shape")
        values = spread(elements(value), value._shape, shape)
        values = cast(values, value._dtype, tensor._dtype)
    if lists:
        seen._places = [places_of(seen)[spot] for spot in spots]
    store(seen, values)

    def rest(gradient):  # the value has taken the place of what was there
        kept = gradient.clone()
        kept[index] = 0
        return kept

    inputs = [tensor] if number else [tensor, value]
    slopes = (rest, lambda g: g[index])[: len(inputs)]
    record(tensor, "CopySlices", inputs, slopes)


Tensor.__getitem__, Tensor.__setitem__ = get, put
