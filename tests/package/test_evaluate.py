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
    true_w = TRUE_W.clone().requires_grad_()
    for errors in param_errors(true_w, 4.2, W, B):
        assert not errors.requires_grad


def test_negative_bias_is_fine():
    _, b_error = param_errors(TRUE_W, -1, W, B)
    assert b_error.item() == -5
