import pytest
import torch

from linreg import init_params, linreg


def test_init_params_shapes_and_grad(generator):
    w, b = init_params(3, generator=generator)
    assert w.shape == (3, 1)
    assert b.shape == (1,)
    for param in (w, b):
        assert param.requires_grad
        assert param.is_leaf
        assert param.grad is None
    assert b.item() == 0


def test_init_params_spread(generator):
    w, _ = init_params(100_000, generator=generator)
    assert w.std().item() == pytest.approx(0.01, rel=0.02)
    assert w.mean().abs() < 0.0002
    wide, _ = init_params(100_000, std=3, generator=generator)
    assert wide.std().item() == pytest.approx(3, rel=0.02)


def test_init_params_zero_std():
    w, _ = init_params(2, std=0)
    assert torch.equal(w, torch.zeros(2, 1))


def test_init_params_generators():
    first, _ = init_params(2, generator=torch.Generator().manual_seed(1))
    second, _ = init_params(2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, second)
    torch.manual_seed(1)
    first, _ = init_params(2)
    second, _ = init_params(2)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(init_params(2)[0], first)


X = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
W = torch.tensor([[2.0], [-3.0]])
B = torch.tensor([10.0])


def test_linreg_by_hand():
    assert torch.equal(linreg(X, W, B), torch.tensor([[12.0], [7.0], [6.0]]))


def test_linreg_gradients(generator):
    x = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    w = torch.randn(2, 1, generator=generator, dtype=torch.float64)
    b = torch.randn(1, generator=generator, dtype=torch.float64)
    inputs = [tensor.requires_grad_() for tensor in (x, w, b)]
    assert torch.autograd.gradcheck(linreg, inputs)
