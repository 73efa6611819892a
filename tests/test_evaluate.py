import re

import pytest
import torch

from linreg import param_errors

TRUE_W = torch.tensor([2, -3.4])
W = torch.tensor([[1.5], [-3.0]], requires_grad=True)
B = torch.tensor([4.0], requires_grad=True)


def test_by_hand():
    w_error, b_error = param_errors(TRUE_W, 4.2, W, B)
    assert torch.allclose(w_error, torch.tensor([0.5, -0.4]))
    assert torch.allclose(b_error, torch.tensor([0.2]))


def test_detached():
    for errors in param_errors(TRUE_W, 4.2, W, B):
        assert not errors.requires_grad


def test_negative_bias_is_fine():
    _, b_error = param_errors(TRUE_W, -1, W, B)
    assert b_error.item() == -5


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (TRUE_W.tolist(), 4.2, W, B),
            TypeError,
            "true_w must be a floating-point tensor of shape (d,), "
            "got object of type list",
        ),
        (
            (TRUE_W, None, W, B),
            TypeError,
            "true_b must be a finite number, got None",
        ),
        (
            (TRUE_W, float("nan"), W, B),
            ValueError,
            "true_b must be a finite number, got nan",
        ),
        (
            (TRUE_W, 4.2, W.flatten(), B),
            ValueError,
            "w must be a float32 tensor of shape (2, 1), "
            "got float32 tensor of shape (2,)",
        ),
        (
            (TRUE_W.double(), 4.2, W, B),
            ValueError,
            "w must be a float64 tensor of shape (2, 1), "
            "got float32 tensor of shape (2, 1)",
        ),
        (
            (TRUE_W, 4.2, W, torch.ones(2)),
            ValueError,
            "b must be a float32 tensor of shape (1,), "
            "got float32 tensor of shape (2,)",
        ),
        (
            (TRUE_W, 4.2, W, B.double()),
            ValueError,
            "b must be a float32 tensor of shape (1,), "
            "got float64 tensor of shape (1,)",
        ),
    ],
)
def test_errors(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        param_errors(*arguments)
