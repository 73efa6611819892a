"""Checks at the public boundary: one line says what is expected and given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from numbers import Real
from typing import Any, Protocol

import torch
from torch import Tensor


class Table(Protocol):
    """A tensor or an array: what has rows that can be cut out."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> Any: ...  # noqa: ANN401


def describe(value: object) -> str:
    """Name a rejected value in an error message."""
    if isinstance(value, Tensor):
        return f"{_dtype(value)} tensor of shape {tuple(value.shape)}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    return f"object of type {type(value).__name__}"


def check_size(name: str, value: object) -> None:
    """Raise unless `value` is a positive integer."""
    if type(value) is int and value > 0:  # the quick way, taken every step
        return
    if isinstance(value, bool) or not isinstance(value, int):
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


def check_generator(generator: object) -> None:
    """Raise unless `generator` is a torch.Generator or None."""
    if not isinstance(generator, (torch.Generator, type(None))):
        raise TypeError(
            "generator must be a torch.Generator or None, "
            f"got {describe(generator)}"
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

    A letter in `shape` stands for any size from 1 up. With `like`, dtype must
    be that of `like`. A function must "give" one.
    """
    if isinstance(value, Tensor) and _matches(value, shape, like):
        return
    kind = "floating-point" if like is None else _dtype(like)
    sizes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    expected = f"a {kind} tensor of shape ({sizes})"
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
        if param.is_inference():
            raise ValueError(
                f"params[{i}] must be a tensor that can record operations, "
                "got one made in inference_mode"
            )
        if 0 in param.stride():
            raise ValueError(
                f"params[{i}] must be a tensor whose elements do not share "
                "memory, got an expanded one"
            )
    return params


def check_loss(
    mean_loss: float, epoch: int, lr: float, features: Table, labels: Table
) -> None:
    """Raise if a loss is nan or inf: the data's first such number, or lr.

    The data are tensors or arrays, shape (n, any).
    """
    if math.isfinite(mean_loss):
        return
    causes = [
        *_not_finite("features", features),
        *_not_finite("labels", labels),
        f"lr={lr}",
    ]
    raise ValueError(f"loss is {mean_loss} in epoch {epoch} with {causes[0]}")


def _not_finite(name: str, values: Table) -> Iterator[str]:
    for start in range(0, len(values), 1_000_000):  # a file may be long
        part = values[start : start + 1_000_000]
        if not isinstance(part, Tensor):
            part = torch.tensor(part)  # a map is read-only
        for row, column in (~part.isfinite()).nonzero()[:1].tolist():
            value = part[row, column].item()
            yield f"{name}[{start + row}, {column}] = {value}"
            return


def check_gen_data(
    w: Tensor, b: float, sample_size: int, noise_std: float, generator: object
) -> None:
    """Raise unless these are arguments of `gen_data`."""
    check_tensor("w", w, "d")
    if w.requires_grad:
        raise ValueError("w must not require grad: pass w.detach()")
    check_number("b", b, negative=True)
    check_size("sample_size", sample_size)
    check_number("noise_std", noise_std)
    check_generator(generator)


def check_data_iter(
    batch_size: int, features: Tensor, labels: Tensor, generator: object
) -> None:
    """Raise unless these are arguments of `data_iter`."""
    check_size("batch_size", batch_size)
    check_examples(features, labels)
    check_generator(generator)


def check_init_params(
    num_features: int, std: float, generator: object, dtype: object
) -> None:
    """Raise unless these are arguments of `init_params`."""
    check_size("num_features", num_features)
    check_number("std", std)
    check_generator(generator)
    check_dtype(dtype)


def check_linreg(X: Tensor, w: Tensor, b: Tensor) -> None:
    """Raise unless these are arguments of `linreg`."""
    check_tensor("X", X, "m", "d")
    check_tensor("w", w, X.shape[1], 1, like=X)
    check_tensor("b", b, 1, like=X)


def check_squared_loss(y_hat: Tensor, y: Tensor) -> None:
    """Raise unless these are arguments of `squared_loss`."""
    check_tensor("y_hat", y_hat, "m", 1)
    flat = isinstance(y, Tensor) and y.ndim == 1
    check_tensor("y", y, len(y_hat), *(() if flat else (1,)), like=y_hat)


def check_sgd(
    params: Iterable[Tensor], lr: float, batch_size: int
) -> list[Tensor]:
    """Return the parameters; raise unless these are arguments of `sgd`."""
    params = check_params(params)
    check_number("lr", lr)
    check_size("batch_size", batch_size)
    for i, param in enumerate(params):
        if param.grad is None:
            raise ValueError(
                f"params[{i}].grad is None: call backward() before sgd()"
            )
    return params


def check_train(
    net: Callable[..., Tensor],
    loss: Callable[[Tensor, Tensor], Tensor],
    params: Iterable[Tensor],
    features: Tensor,
    labels: Tensor,
    lr: float,
    batch_size: int,
    num_epochs: int,
) -> list[Tensor]:
    """Return the parameters; raise unless these are arguments of `train`.

    The net and the loss are tried on the first examples.
    """
    for name, function in (("net", net), ("loss", loss)):
        if not callable(function):
            raise TypeError(
                f"{name} must be a function, got {describe(function)}"
            )
    params = check_params(params)
    check_examples(features, labels)
    check_number("lr", lr)
    check_size("batch_size", batch_size)
    check_size("num_epochs", num_epochs)
    X, y = features[:batch_size], labels[:batch_size]
    if isinstance(net, torch.nn.Module):
        raise TypeError(
            "net must be a function of X and each parameter, got a module, "
            "which keeps its own: train it with torch.optim (chapter 9)"
        )
    y_hat = net(X, *params)
    check_tensor("net", y_hat, len(X), 1, like=y, must="give")
    each_loss = loss(y_hat, y)
    # A mean would be divided by the batch size once more.
    check_tensor("loss", each_loss, len(X), 1, like=y, must="give")
    check_used(params, each_loss)
    check_start(params, X, y, each_loss)
    return params


def check_used(params: list[Tensor], each_loss: Tensor) -> None:
    """Raise unless the loss depends on each parameter."""
    used = (
        torch.autograd.grad(each_loss.sum(), params, allow_unused=True)
        if each_loss.requires_grad
        else [None] * len(params)
    )
    for i, gradient in enumerate(used):
        if gradient is None:
            raise ValueError(
                f"params[{i}] must be used by net, but the loss does not "
                "depend on it"
            )


def check_start(
    params: list[Tensor], X: Tensor, y: Tensor, each_loss: Tensor
) -> None:
    """Raise if training cannot begin, though the first examples are finite."""
    for i, param in enumerate(params):
        if not param.isfinite().all():
            raise ValueError(
                f"params[{i}] holds nan or inf, maybe from an earlier run: "
                "make it anew"
            )
    finite = X.isfinite().all() and y.isfinite().all()
    if finite and not each_loss.isfinite().all():
        raise ValueError(
            "loss is inf or nan before training: features or labels are too "
            f"large for {_dtype(y)}"
        )


def check_param_errors(
    true_w: Tensor, true_b: float, w: Tensor, b: Tensor
) -> None:
    """Raise unless these are arguments of `param_errors`."""
    check_tensor("true_w", true_w, "d")
    check_number("true_b", true_b, negative=True)
    check_tensor("w", w, len(true_w), 1, like=true_w)
    check_tensor("b", b, 1, like=true_w)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _matches(
    value: Tensor, shape: tuple[int | str, ...], like: Tensor | None
) -> bool:
    if like is None:
        if not value.is_floating_point():
            return False
    elif value.dtype is not like.dtype:
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
