"""Checks at the public boundary: one line says what is expected and given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from numbers import Integral, Real

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def describe(value: object) -> str:
    """Name a rejected value in an error message."""
    if isinstance(value, Tensor):
        place = "" if value.device.type == "cpu" else f" on {value.device}"
        return f"{_dtype(value)} tensor of shape {tuple(value.shape)}{place}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    return f"object of type {type(value).__name__}"


def check_size(name: str, value: object) -> None:
    """Raise unless `value` is a positive integer."""
    if type(value) is int and value > 0:  # the quick way, taken every step
        return
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(
            f"{name} must be a positive integer, got {describe(value)}"
        )
    if value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value}")


def check_number(name: str, value: object, *, negative: bool = False) -> None:
    """Raise unless `value` is a finite number, >= 0 unless `negative`."""
    if type(value) is float and 0 <= value < math.inf:  # the quick way
        return
    expected = "a finite number" if negative else "a finite number >= 0"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {expected}, got {describe(value)}")
    if not math.isfinite(value) or (value < 0 and not negative):
        raise ValueError(f"{name} must be {expected}, got {value}")


def check_generator(generator: object, device: torch.device) -> None:
    """Raise unless `generator` is None or can serve this device.

    One on the CPU can: the numbers are drawn there and moved.
    """
    if generator is None:
        return
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            "generator must be a torch.Generator or None, "
            f"got {describe(generator)}"
        )
    if generator.device.type not in ("cpu", device.type):
        places = "cpu" if device.type == "cpu" else f"cpu or {device}"
        raise ValueError(
            f"generator must be on {places}, got one on {generator.device}"
        )


def check_dtype(dtype: object) -> None:
    """Raise unless `dtype` is None or a floating-point type of torch's."""
    if dtype is None:
        return
    if not isinstance(dtype, torch.dtype):
        raise TypeError(
            f"dtype must be a floating-point dtype, got {describe(dtype)}"
        )
    if not dtype.is_floating_point:
        raise ValueError(f"dtype must be a floating-point dtype, got {dtype}")


def check_tensor(
    name: str,
    value: object,
    *shape: int | str,
    like: Tensor | None = None,
    must: str = "be",
) -> None:
    """Raise unless `value` is a floating-point tensor of this shape.

    A letter in `shape` stands for any size from 1 up. With `like`, dtype and
    device must be those of `like`. A function must "give" one.
    """
    if isinstance(value, Tensor) and _matches(value, shape, like):
        return
    kind = "floating-point" if like is None else _dtype(like)
    place = (
        ""
        if like is None or like.device.type == "cpu"
        else f" on {like.device}"
    )
    sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    expected = f"a {kind} tensor of shape ({sizes}){place}"
    error = ValueError if isinstance(value, Tensor) else TypeError
    raise error(f"{name} must {must} {expected}, got {describe(value)}")


def check_examples(features: Tensor, labels: Tensor) -> None:
    """Raise unless features (n, d) and labels (n, 1) belong together."""
    check_tensor("features", features, "n", "d")
    check_tensor("labels", labels, len(features), 1, like=features)
    for name, value in (("features", features), ("labels", labels)):
        if value.requires_grad:
            raise ValueError(
                f"{name} must not require grad: pass {name}.detach()"
            )


def check_params(params: Iterable[Tensor]) -> list[Tensor]:
    """Return the parameters as a list; raise unless each can be trained."""
    if isinstance(params, Tensor) or not isinstance(params, Iterable):
        raise TypeError(
            f"params must be a list of tensors, got {describe(params)}"
        )
    params = list(params)
    if not params:
        raise ValueError("params must be a list of tensors, got an empty one")
    for i, param in enumerate(params):
        if not isinstance(param, Tensor):
            raise TypeError(
                f"params[{i}] must be a tensor, got {describe(param)}"
            )
        if not (param.is_leaf and param.requires_grad):
            raise ValueError(
                f"params[{i}] must be a leaf tensor that requires grad"
            )
        if 0 in param.stride():
            raise ValueError(
                f"params[{i}] must be a tensor whose elements do not share "
                "memory, got an expanded one"
            )
    return params


def loss_error(
    mean_loss: float,
    epoch: int,
    lr: float,
    features: Tensor | NDArray[np.generic],
    labels: Tensor | NDArray[np.generic],
) -> ValueError | None:
    """Say why a loss is nan or inf: the data's first such number, or lr.

    The data are tensors or arrays, shape (n, any). None if it is neither.
    """
    if math.isfinite(mean_loss):
        return None
    causes = [
        *_not_finite("features", features),
        *_not_finite("labels", labels),
        f"lr={lr}",
    ]
    return ValueError(f"loss is {mean_loss} in epoch {epoch} with {causes[0]}")


def _not_finite(
    name: str, values: Tensor | NDArray[np.generic]
) -> Iterator[str]:
    for start in range(0, len(values), 1_000_000):  # a file may be long
        part = values[start : start + 1_000_000]
        if not isinstance(part, Tensor):
            part = torch.from_numpy(part.copy())  # a map is read-only
        for row, column in (~part.isfinite()).nonzero()[:1].tolist():
            value = part[row, column].item()
            yield f"{name}[{start + row}, {column}] = {value}"
            return


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _matches(
    value: Tensor, shape: tuple[int | str, ...], like: Tensor | None
) -> bool:
    if like is None:
        if not value.is_floating_point():
            return False
    elif value.dtype is not like.dtype or value.device != like.device:
        return False
    sizes = value.shape
    if sizes == shape:  # the quick way, taken every step
        return True
    if len(sizes) != len(shape):
        return False
    for size, want in zip(sizes, shape, strict=True):
        if size != want and (size == 0 or type(want) is int):
            return False
    return True
