"""Wrong calls: each gives one exact line and changes nothing."""

import math
from decimal import Decimal
from inspect import isgenerator

import numpy as np
import pytest
import torch

import linreg
from linreg import (
    data_iter,
    gen_data,
    init_params,
    param_errors,
    sgd,
    squared_loss,
    train,
)

TRUE_W = torch.tensor([2.0, -3.4])


def params():
    w = torch.tensor([[1.0], [2.0]], requires_grad=True)
    b = torch.tensor([3.0], requires_grad=True)
    w.grad, b.grad = torch.tensor([[10.0], [-20.0]]), torch.tensor([30.0])
    return [w, b]


def good_call(function):
    """Arguments that work, made anew."""
    X = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    y = torch.tensor([[4.0], [5.0], [-2.0]])
    w, b = params()
    generator = torch.Generator().manual_seed(0)
    return {
        gen_data: {
            "w": TRUE_W.clone(),
            "b": 4.2,
            "sample_size": 5,
            "noise_std": 0.01,
            "generator": generator,
        },
        data_iter: {
            "batch_size": 2,
            "features": X,
            "labels": y,
            "generator": generator,
        },
        init_params: {"num_features": 2, "std": 1, "generator": generator},
        linreg.linreg: {"X": X, "w": w, "b": b},
        squared_loss: {"y_hat": y + 1, "y": y},
        sgd: {"params": [w, b], "lr": 0.5, "batch_size": 5},
        train: {
            "net": linreg.linreg,
            "loss": squared_loss,
            "params": [w, b],
            "features": X,
            "labels": y,
            "lr": 0.03,
            "batch_size": 2,
            "num_epochs": 2,
            "generator": generator,
        },
        param_errors: {
            "true_w": TRUE_W.clone(),
            "true_b": 4.2,
            "w": w,
            "b": b,
        },
    }[function]


NOT_SIZES = [
    (TypeError, None, "None"),
    (TypeError, True, "True"),
    (TypeError, np.True_, "object of type bool"),
    (TypeError, 2.0, "2.0"),
    (TypeError, math.nan, "nan"),
    (TypeError, math.inf, "inf"),
    (TypeError, "2", "'2'"),
    (TypeError, [2], "object of type list"),
    (TypeError, np.array([2]), "object of type ndarray"),
    (TypeError, torch.tensor(2), "int64 tensor of shape ()"),
    (ValueError, 0, "0"),
    (ValueError, -3, "-3"),
    (TypeError, np.int64(2), "object of type int64"),  # split() refuses it
]
NOT_FINITE = [
    (TypeError, None, "None"),
    (TypeError, False, "False"),
    (TypeError, "0.1", "'0.1'"),
    (TypeError, 1 + 2j, "object of type complex"),
    (TypeError, Decimal(1), "object of type Decimal"),
    (TypeError, [0.1], "object of type list"),
    (TypeError, np.array([0.1]), "object of type ndarray"),
    (TypeError, torch.tensor([0.1]), "float32 tensor of shape (1,)"),
    (ValueError, math.nan, "nan"),
    (ValueError, math.inf, "inf"),
    (ValueError, -math.inf, "-inf"),
]
NEGATIVE = [(ValueError, -0.1, "-0.1"), (ValueError, -1, "-1")]
NOT_GENERATORS = [
    (TypeError, 0, "0"),
    (TypeError, "seed", "'seed'"),
    (TypeError, np.random.default_rng(0), "object of type Generator"),
    (TypeError, torch.tensor(0), "int64 tensor of shape ()"),
]


def not_tensors(rows):
    """What no parameter takes, in the right shape where it has one."""
    return [
        (TypeError, None, "None"),
        (TypeError, 4.2, "4.2"),
        (TypeError, torch.ones(rows).tolist(), "object of type list"),
        (TypeError, torch.ones(rows).numpy(), "object of type ndarray"),
    ]


def tensors(*shapes, **kwargs):
    """Tensors of a wrong shape or dtype."""
    return [
        (ValueError, torch.ones(shape, **kwargs), describe(shape, **kwargs))
        for shape in shapes
    ]


def typed(shape, *dtypes):
    return [row for dtype in dtypes for row in tensors(shape, dtype=dtype)]


def describe(shape, dtype=torch.float32):
    return f"{dtype}".removeprefix("torch.") + f" tensor of shape {shape}"


INT, BOOL, COMPLEX = torch.int64, torch.bool, torch.complex64
DOUBLE, HALF = torch.float64, torch.float16
# Wrong for tensors of two weights, and for three examples with two features.
NOT_WEIGHTS = [
    *not_tensors((2,)),
    *tensors((2, 1), (), (0,)),
    *typed((2,), INT, BOOL, COMPLEX),
]
NOT_FEATURES = [
    *not_tensors((3, 2)),
    *tensors((2,), (3,), (3, 2, 1), (), (0, 2), (3, 0)),
    *typed((3, 2), INT, BOOL),
]

# functions, parameter, what it must be, (error, wrong value, how it is named)
MUST_BE = [
    ([gen_data], "w", "a floating-point tensor of shape (d,)", NOT_WEIGHTS),
    (
        [param_errors],
        "true_w",
        "a floating-point tensor of shape (d,)",
        NOT_WEIGHTS,
    ),
    ([gen_data], "b", "a finite number", NOT_FINITE),
    ([param_errors], "true_b", "a finite number", NOT_FINITE),
    ([gen_data], "sample_size", "a positive integer", NOT_SIZES),
    ([init_params], "num_features", "a positive integer", NOT_SIZES),
    ([data_iter, sgd, train], "batch_size", "a positive integer", NOT_SIZES),
    ([train], "num_epochs", "a positive integer", NOT_SIZES),
    ([gen_data], "noise_std", "a finite number >= 0", NOT_FINITE + NEGATIVE),
    ([init_params], "std", "a finite number >= 0", NOT_FINITE + NEGATIVE),
    ([sgd, train], "lr", "a finite number >= 0", NOT_FINITE + NEGATIVE),
    (
        [gen_data, data_iter, init_params, train],
        "generator",
        "a torch.Generator or None",
        NOT_GENERATORS,
    ),
    (
        [data_iter, train],
        "features",
        "a floating-point tensor of shape (n, d)",
        NOT_FEATURES,
    ),
    (
        [linreg.linreg],
        "X",
        "a floating-point tensor of shape (m, d)",
        NOT_FEATURES,
    ),
    (
        [data_iter, train],
        "labels",
        "a float32 tensor of shape (3, 1)",
        [
            *not_tensors((3, 1)),
            *tensors((3,), (4, 1), (2, 1), (1, 1), (3, 2), (1, 3), (0, 1)),
            *typed((3, 1), DOUBLE, INT),
        ],
    ),
    (
        [linreg.linreg, param_errors],
        "w",
        "a float32 tensor of shape (2, 1)",
        [
            *not_tensors((2, 1)),
            *tensors((2,), (1, 2), (3, 1), (1, 1), (2, 2), (2, 1, 1), (0, 1)),
            *typed((2, 1), DOUBLE, HALF),
        ],
    ),
    (
        [linreg.linreg, param_errors],
        "b",
        "a float32 tensor of shape (1,)",
        [
            *not_tensors((1,)),
            *tensors((), (2,), (3,), (1, 1), (0,)),
            *tensors((1,), dtype=DOUBLE),
        ],
    ),
    (
        [squared_loss],
        "y_hat",
        "a floating-point tensor of shape (m, 1)",
        [
            *not_tensors((3, 1)),
            *tensors((3,), (), (3, 2), (1, 3), (0, 1)),
            *typed((3, 1), INT, COMPLEX),
        ],
    ),
    (
        [squared_loss],
        "y",
        "a float32 tensor of shape (3, 1)",
        [
            *not_tensors((3, 1)),
            *tensors((), (1, 3), (1, 1), (4, 1), (3, 2), (3, 1, 1), (0, 1)),
            *typed((3, 1), DOUBLE, INT),
        ],
    ),
    (
        [squared_loss],
        "y",
        "a float32 tensor of shape (3,)",
        [
            *tensors((2,), (1,), (0,)),
            *tensors((3,), dtype=DOUBLE),
        ],
    ),
    (
        [sgd, train],
        "params",
        "a list of tensors",
        [
            (TypeError, None, "None"),
            (TypeError, 3, "3"),
            (TypeError, True, "True"),
            *(
                (TypeError, value, name)
                for _, value, name in tensors((2, 1), (), (0,))
            ),
            (ValueError, [], "an empty one"),
            (ValueError, {}, "an empty one"),
        ],
    ),
    *(
        (
            [train],
            name,
            "a function",
            [
                (TypeError, None, "None"),
                (TypeError, "linreg", "'linreg'"),
                (TypeError, [], "object of type list"),
                (TypeError, torch.ones(1), "float32 tensor of shape (1,)"),
            ],
        )
        for name in ("net", "loss")
    ),
]


def without_gradient(position):
    chosen = params()
    chosen[position].grad = None
    return chosen


def computed():
    w, b = params()
    return [w, 2 * b]


def expanded():
    w, b = params()
    return [w, torch.ones(1).expand(3).requires_grad_(), b]


def inference():
    with torch.inference_mode():
        return [torch.ones(2, 1, requires_grad=True)]


# function, changed arguments, error, message
OTHERS = [
    (
        gen_data,
        {"w": TRUE_W.clone().requires_grad_()},
        ValueError,
        "w must not require grad: pass w.detach()",
    ),
    (
        train,
        {"net": torch.nn.Linear(2, 1)},
        TypeError,
        "net must be a function of X and each parameter, got a module, "
        "which keeps its own: train it with torch.optim (chapter 9)",
    ),
    *(
        (
            train,
            {"net": net},
            ValueError,
            f"params[{i}] must be used by net, but the loss does not depend "
            "on it",
        )
        for i, net in enumerate(
            [lambda X, w, b: X[:, :1] + b, lambda X, w, b: X @ w]
        )
    ),
    (
        linreg.linreg,
        {"X": torch.ones(3, 2, dtype=DOUBLE)},
        ValueError,
        "w must be a float64 tensor of shape (2, 1), "
        "got float32 tensor of shape (2, 1)",
    ),
    (
        param_errors,
        {"true_w": torch.ones(3)},
        ValueError,
        "w must be a float32 tensor of shape (3, 1), "
        "got float32 tensor of shape (2, 1)",
    ),
    (
        sgd,
        {"params": without_gradient(0)},
        ValueError,
        "params[0].grad is None: call backward() before sgd()",
    ),
    (
        sgd,
        {"params": without_gradient(1)},
        ValueError,
        "params[1].grad is None: call backward() before sgd()",
    ),
    *(
        (
            function,
            {name: torch.ones(shape, requires_grad=True)},
            ValueError,
            f"{name} must not require grad: pass {name}.detach()",
        )
        for function in (data_iter, train)
        for name, shape in (("features", (3, 2)), ("labels", (3, 1)))
    ),
    *(
        (function, {"params": chosen}, error, message)
        for function in (sgd, train)
        for chosen, error, message in (
            ([1.5], TypeError, "params[0] must be a tensor, got 1.5"),
            ("w", TypeError, "params[0] must be a tensor, got 'w'"),
            (
                [*params(), None],
                TypeError,
                "params[2] must be a tensor, got None",
            ),
            (
                {"w": torch.ones(2, 1)},
                TypeError,
                "params[0] must be a tensor, got 'w'",
            ),
            (
                [*params(), np.ones(2)],
                TypeError,
                "params[2] must be a tensor, got object of type ndarray",
            ),
            (
                [torch.ones(2, 1)],
                ValueError,
                "params[0] must be a leaf tensor that requires grad",
            ),
            (
                [params()[0], torch.ones(1)],
                ValueError,
                "params[1] must be a leaf tensor that requires grad",
            ),
            (
                computed(),
                ValueError,
                "params[1] must be a leaf tensor that requires grad",
            ),
            (
                expanded(),
                ValueError,
                "params[1] must be a tensor whose elements do not share "
                "memory, got an expanded one",
            ),
            (
                inference(),
                ValueError,
                "params[0] must be a tensor that can record operations, "
                "got one made in inference_mode",
            ),
        )
    ),
]

CALLS = [
    pytest.param(
        function,
        {name: value},
        error,
        f"{name} must be {expected}, got {given}",
        id=f"{function.__name__}-{name}-{given}",
    )
    for functions, name, expected, rows in MUST_BE
    for function in functions
    for error, value, given in rows
] + [pytest.param(*row, id=f"{row[0].__name__}-{row[3]}") for row in OTHERS]


def snapshot(value):
    """What could be changed in an argument, and how often it was written."""
    if isinstance(value, dict):
        return [snapshot(v) for v in value.values()]
    if isinstance(value, list):
        return [snapshot(v) for v in value]
    if isinstance(value, torch.Generator):
        return value.get_state().tolist()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, torch.Tensor):
        grad = value.grad if value.is_leaf else None
        marks = [value.requires_grad, id(grad), snapshot(grad)]
        return [value.tolist(), *marks]
    return repr(value)


def start(function, arguments):
    """A generator checks its arguments when it is asked for the first time."""
    result = function(**arguments)
    if isgenerator(result):
        next(result)


def test_there_are_many():
    assert len(CALLS) > 300
    assert {call.values[0].__name__ for call in CALLS} == set(linreg.__all__)


@pytest.mark.parametrize(("function", "change", "error", "message"), CALLS)
def test_one_line_and_nothing_changed(
    function, change, error, message, recwarn
):
    arguments = good_call(function) | change
    before = snapshot(arguments), torch.get_rng_state().tolist()
    with pytest.raises(error) as caught:
        start(function, arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert "\n" not in message
    assert (snapshot(arguments), torch.get_rng_state().tolist()) == before
    assert torch.is_grad_enabled()
    assert not recwarn.list


@pytest.mark.parametrize("name", ["features", "labels"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_in_the_data_stops_training(name, value):
    """Values are looked through when the loss is spoiled, not before."""
    arguments = good_call(train)
    arguments[name][1, 0] = value
    run = train(**arguments)
    with pytest.raises(ValueError, match=r"^loss is") as caught:
        next(run)
    cause = f"{name}[1, 0] = {value}"
    assert str(caught.value) == f"loss is nan in epoch 1 with {cause}"


@pytest.mark.parametrize(
    "function",
    [gen_data, data_iter, linreg.linreg, squared_loss, param_errors],
)
def test_views_give_what_their_copies_give(function):
    """Every second row of a larger tensor, with gaps between."""
    results = []
    for copy in (False, True):
        arguments = good_call(function)
        for name, value in arguments.items():
            if isinstance(value, torch.Tensor):
                view = value.detach().repeat_interleave(2, dim=0)[::2]
                assert view.stride(0) > 1
                arguments[name] = view.clone() if copy else view
        results.append([part.tolist() for part in flat(function(**arguments))])
    assert results[0] == results[1]


def flat(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for part in result for tensor in flat(part)]


@pytest.mark.parametrize("function", [sgd, train])
def test_parameters_may_be_views(function):
    """A row of a larger tensor is trained, the other rows stay."""
    results = []
    for view in (False, True):
        arguments = good_call(function)
        w, b = arguments["params"]
        large = torch.full((2, 3), 7.0)
        place = large[:, 1:2]
        place.copy_(w.detach())
        if view:
            grad, w = w.grad, place.requires_grad_()
            w.grad = grad
            assert not w.is_contiguous()
        arguments["params"] = [w, b]
        list(function(**arguments) or [])
        results.append(w.tolist())
    assert results[0] == results[1]
    assert large.detach()[:, [0, 2]].eq(7).all()
