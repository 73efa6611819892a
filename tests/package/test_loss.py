import pytest
import torch

from linreg import squared_loss

Y_HAT = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
Y = torch.tensor([[1.0], [1.0], [5.0], [1.0]])


@pytest.mark.parametrize("y", [Y, Y.flatten()], ids=["column", "flat"])
def test_by_hand(y):
    expected = torch.tensor([[0.0], [0.5], [2.0], [4.5]])
    assert torch.equal(squared_loss(Y_HAT, y), expected)


def test_half_of_torchs_squared_error():
    expected = torch.nn.MSELoss(reduction="none")(Y_HAT, Y) / 2
    assert torch.equal(squared_loss(Y_HAT, Y), expected)


def test_gradient_is_the_error():
    y_hat = Y_HAT.clone().requires_grad_()
    squared_loss(y_hat, Y).sum().backward()
    assert torch.equal(y_hat.grad, Y_HAT - Y)


@pytest.mark.parametrize("y", [Y, Y.flatten()], ids=["column", "flat"])
def test_gradcheck(y):
    inputs = [t.double().requires_grad_() for t in (Y_HAT, y)]
    assert torch.autograd.gradcheck(squared_loss, inputs)
