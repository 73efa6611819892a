"""Where d2l has the same function, ours gives the same numbers."""

import pytest
import torch

import linreg

pytestmark = pytest.mark.xdist_group("run 10")  # chapter 10 imports d2l, too


@pytest.fixture(scope="module")
def d2l():
    from d2l import torch as d2l

    return d2l


def test_model_loss_and_step(d2l, examples):
    X, y = (tensor[:10] for tensor in examples)
    ours = linreg.init_params(2, generator=torch.Generator().manual_seed(1))
    theirs = [param.detach().clone().requires_grad_() for param in ours]
    for _ in range(5):
        loss = linreg.squared_loss(linreg.linreg(X, *ours), y)
        expected = d2l.squared_loss(d2l.linreg(X, *theirs), y)
        assert torch.allclose(loss, expected, atol=1e-6)
        loss.sum().backward()
        expected.sum().backward()
        linreg.sgd(ours, 0.1, 10)
        d2l.sgd(theirs, 0.1, 10)
        for mine, other in zip(ours, theirs, strict=True):
            assert torch.allclose(mine, other, atol=1e-6)


def test_data_has_the_same_form(d2l):
    ours = linreg.gen_data(torch.tensor([2, -3.4]), 4.2, 10)
    theirs = d2l.synthetic_data(torch.tensor([2, -3.4]), 4.2, 10)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
