import pytest
import torch

from linreg import squared_loss

Y_HAT = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
Y = torch.tensor([[1.0], [1.0], [5.0], [1.0]])


@pytest.mark.parametrize("y", [Y, Y.flatten()], ids=["column", "flat"])
def test_by_hand(y):
    expected = torch.tensor([[0.0], [0.5], [2.0], [4.5]])
    assert torch.equal(squared_loss(Y_HAT, y), expected)


@pytest.mark.parametrize("y", [Y, Y.flatten()], ids=["column", "flat"])
def test_gradcheck(y):
    inputs = [t.double().requires_grad_() for t in (Y_HAT, y)]
    assert torch.autograd.gradcheck(squared_loss, inputs)
