"""Wrong calls: each gives one exact line and changes nothing."""

import math
from inspect import isgenerator, signature

import numpy as np
import pytest
import torch
from torch import nn

import linreg
from linreg import prepare
from linreg._checks import describe

PREPARE = ["split_data", "column_stats", "standardize"]
FUNCTIONS = {name: getattr(linreg, name) for name in linreg.__all__}
FUNCTIONS |= {name: getattr(prepare, name) for name in PREPARE}


def params():
    w = torch.tensor([[1.0], [2.0]], requires_grad=True)
    b = torch.tensor([3.0], requires_grad=True)
    w.grad, b.grad = torch.tensor([[10.0], [-20.0]]), torch.tensor([30.0])
    return [w, b]


def good_call(function):
    """Arguments that work, made anew: three examples, two features."""
    X = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    y = torch.tensor([[4.0], [5.0], [-2.0]])
    w, b = params()
    true_w = torch.tensor([2.0, -3.4])
    sizes = {"sample_size": 5, "num_features": 2, "test_size": 1}
    sizes |= {"batch_size": 2, "num_epochs": 2}
    numbers = {"noise_std": 0.01, "true_b": 4.2, "std": 1, "lr": 0.5}
    tensors = {"features": X, "labels": y, "X": X, "y_hat": y + 1, "y": y}
    tensors |= {"w": w, "b": b, "true_w": true_w, "params": [w, b]}
    functions = {"net": linreg.linreg, "loss": linreg.squared_loss}
    good = sizes | numbers | tensors | functions
    good["generator"] = torch.Generator().manual_seed(0)
    if function is linreg.gen_data:
        good |= {"w": true_w, "b": 4.2}
    if function is prepare.standardize:
        good |= {"mean": torch.zeros(2), "std": torch.ones(2)}
    names = signature(function).parameters
    return {name: good[name] for name in names if name in good}


def ones(*shapes, dtype=torch.float32):
    return [torch.ones(shape, dtype=dtype) for shape in shapes]


def typed(shape, *dtypes):
    return [torch.ones(shape, dtype=dtype) for dtype in dtypes]


INT, DOUBLE = torch.int64, torch.float64
SIZE, NUMBER = "a positive integer", "a finite number"
FLOATING, SINGLE = "a floating-point tensor", "a float32 tensor"
NAN, INF = math.nan, math.inf

# What a parameter must be; values of wrong types, and other wrong values.
MUST_BE = {
    SIZE: ([None, True, 2.0, "2", torch.tensor(2), np.int64(2)], [0, -3]),
    NUMBER: ([None, False, "0.1", 1 + 2j, torch.tensor([0.1])], [NAN, -INF]),
    f"{NUMBER} >= 0": (["0.1"], [NAN, INF, -0.1]),
    "a torch.Generator or None": ([0, np.random.default_rng(0)], []),
    "a function": ([None, "linreg", torch.ones(1)], []),
    "a list of tensors": ([None, 3, torch.ones(2, 1)], []),
    f"{FLOATING} of shape (d,)": (
        [None, [1.0, 1.0], np.ones(2)],
        ones((2, 1), (), (0,)) + typed((2,), INT),
    ),
    f"{FLOATING} of shape (n, d)": (
        [None, np.ones((3, 2))],
        ones((2,), (3, 2, 1), (0, 2), (3, 0)) + typed((3, 2), INT),
    ),
    f"{FLOATING} of shape (m, 1)": (
        [None, np.ones((3, 1))],
        ones((3,), (3, 2), (0, 1)) + typed((3, 1), INT),
    ),
    f"{SINGLE} of shape (3, 1)": (
        [None, np.ones((3, 1))],
        ones((1, 3), (1, 1), (4, 1), (3, 2)) + typed((3, 1), DOUBLE, INT),
    ),
    f"{SINGLE} of shape (3,)": ([], ones((2,), (1,)) + typed((3,), DOUBLE)),
    f"{SINGLE} of shape (2, 1)": (
        [None, np.ones((2, 1))],
        ones((2,), (1, 2), (3, 1), (2, 2)) + typed((2, 1), DOUBLE),
    ),
    f"{SINGLE} of shape (2,)": (
        [None],
        ones((), (3,), (1, 2)) + typed((2,), DOUBLE),
    ),
    f"{SINGLE} of shape (1,)": (
        [4.2],
        ones((), (2,), (1, 1)) + typed((1,), DOUBLE),
    ),
}
MUST_BE[f"{FLOATING} of shape (m, d)"] = MUST_BE[f"{FLOATING} of shape (n, d)"]

# Each line: the parameters, then what they must be.
PARAMETERS = f"""
gen_data.sample_size init_params.num_features: {SIZE}
data_iter.batch_size sgd.batch_size train.batch_size: {SIZE}
train.num_epochs split_data.test_size: {SIZE}
gen_data.b param_errors.true_b: {NUMBER}
gen_data.noise_std init_params.std sgd.lr train.lr: {NUMBER} >= 0
gen_data.generator data_iter.generator: a torch.Generator or None
init_params.generator split_data.generator: a torch.Generator or None
train.generator: a torch.Generator or None
train.net train.loss: a function
sgd.params train.params: a list of tensors
gen_data.w param_errors.true_w: {FLOATING} of shape (d,)
data_iter.features train.features: {FLOATING} of shape (n, d)
split_data.features column_stats.features: {FLOATING} of shape (n, d)
standardize.features: {FLOATING} of shape (n, d)
linreg.X: {FLOATING} of shape (m, d)
data_iter.labels train.labels split_data.labels: {SINGLE} of shape (3, 1)
linreg.w param_errors.w: {SINGLE} of shape (2, 1)
linreg.b param_errors.b: {SINGLE} of shape (1,)
standardize.mean standardize.std: {SINGLE} of shape (2,)
squared_loss.y_hat: {FLOATING} of shape (m, 1)
squared_loss.y: {SINGLE} of shape (3, 1)
squared_loss.y: {SINGLE} of shape (3,)
"""
CALLS = [
    (place, value, error, f"{{}} must be {expected}, got {describe(value)}")
    for line in PARAMETERS.strip().splitlines()
    for places, _, expected in [line.partition(": ")]
    for place in places.split()
    for error, values in zip(
        (TypeError, ValueError), MUST_BE[expected], strict=True
    )
    for value in values
]


w, b = params()
LEAF = "must be a leaf tensor that requires grad"
UNUSED = "must be used by net, but the loss does not depend on it"
# Wrong values of parameters, with all that is said of them.
WRONG = {
    "sgd.params train.params": [
        ([], ValueError, "{} must be a list of tensors, got an empty one"),
        ({"w": w}, TypeError, "{}[0] must be a tensor, got 'w'"),
        ([w, b, None], TypeError, "{}[2] must be a tensor, got None"),
        ([w, torch.ones(1)], ValueError, f"{{}}[1] {LEAF}"),
        ([w, 2 * b], ValueError, f"{{}}[1] {LEAF}"),
    ],
    "sgd.params": [
        (
            [w, torch.ones(1, requires_grad=True)],
            ValueError,
            "{}[1].grad is None: call backward() before sgd()",
        )
    ],
    "train.net": [
        (
            nn.Linear(2, 1),
            TypeError,
            "{} must be a function of X and each parameter, got a module, "
            "which keeps its own: train it with torch.optim (chapter 9)",
        ),
        (lambda X, w, b: X[:, :1] + b, ValueError, f"params[0] {UNUSED}"),
        (lambda X, w, b: X @ w, ValueError, f"params[1] {UNUSED}"),
    ],
    "linreg.X": [
        (
            torch.ones(3, 2, dtype=DOUBLE),
            ValueError,
            "w must be a float64 tensor of shape (2, 1), "
            "got float32 tensor of shape (2, 1)",
        )
    ],
    "param_errors.true_w": [
        (
            torch.ones(3),
            ValueError,
            "w must be a float32 tensor of shape (3, 1), "
            "got float32 tensor of shape (2, 1)",
        )
    ],
    "standardize.std": [
        (
            torch.tensor([1.0, value]),
            ValueError,
            f"{{}}[1] must be a positive number, got {value}",
        )
        for value in (0.0, -1.0, NAN, INF)
    ],
    "split_data.test_size": [
        (3, ValueError, "{} must be less than the 3 examples, got 3"),
    ],
}
CALLS += [
    (place, *row)
    for places, rows in WRONG.items()
    for place in places.split()
    for row in rows
]
for place, shape in {
    "gen_data.w": (2,),
    "data_iter.features": (3, 2),
    "train.labels": (3, 1),
    "split_data.features": (3, 2),
}.items():
    value = torch.ones(shape, requires_grad=True)
    said = "{0} must not require grad: pass {0}.detach()"
    CALLS.append((place, value, ValueError, said))


def snapshot(value):
    """What could be changed in an argument, and how often it was written."""
    if isinstance(value, dict):
        return [snapshot(v) for v in value.values()]
    if isinstance(value, list):
        return [snapshot(v) for v in value]
    if isinstance(value, torch.Generator):
        return value.get_state().tolist()
    if isinstance(value, torch.Tensor):
        grad = value.grad if value.is_leaf else None
        marks = [value.requires_grad, id(grad), snapshot(grad)]
        return [repr(value.tolist()), *marks]
    return repr(value)


def start(function, arguments):
    """A generator checks its arguments when it is asked for the first time."""
    result = function(**arguments)
    if isgenerator(result):
        next(result)


@pytest.mark.parametrize(
    ("place", "value", "error", "message"),
    CALLS,
    ids=[f"{place}: {message}" for place, _, _, message in CALLS],
)
def test_one_line_and_nothing_changed(place, value, error, message, recwarn):
    function, name = place.split(".")
    arguments = good_call(FUNCTIONS[function]) | {name: value}
    before = snapshot(arguments), torch.get_rng_state().tolist()
    with pytest.raises(error) as caught:
        start(FUNCTIONS[function], arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message.format(name)
    assert "\n" not in str(caught.value)
    assert (snapshot(arguments), torch.get_rng_state().tolist()) == before
    assert torch.is_grad_enabled()
    assert not recwarn.list
