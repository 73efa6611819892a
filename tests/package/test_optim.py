import torch

from linreg import sgd


def params_with_gradients():
    w = torch.tensor([[1.0], [2.0]], requires_grad=True)
    b = torch.tensor([3.0], requires_grad=True)
    w.grad = torch.tensor([[10.0], [-20.0]])
    b.grad = torch.tensor([30.0])
    return [w, b]


def test_step_by_hand():
    w, b = params_with_gradients()
    assert sgd([w, b], lr=0.5, batch_size=4) is None
    assert torch.equal(w, torch.tensor([[-0.25], [4.5]]))
    assert torch.equal(b, torch.tensor([-0.75]))


def test_in_place_and_ready_for_the_next_batch():
    w, b = params_with_gradients()
    places = [w.data_ptr(), w.grad.data_ptr()]
    sgd([w, b], lr=0.5, batch_size=5)
    assert places == [w.data_ptr(), w.grad.data_ptr()]
    assert w.requires_grad
    assert w.is_leaf
    assert not w.grad.any()
    assert not b.grad.any()


def test_zero_learning_rate_moves_nothing():
    w, b = params_with_gradients()
    sgd([w, b], lr=0, batch_size=5)
    assert torch.equal(w, torch.tensor([[1.0], [2.0]]))


def test_accepts_an_iterator():
    w, b = params_with_gradients()
    sgd(iter([w, b]), lr=0.5, batch_size=4)
    assert torch.equal(b, torch.tensor([-0.75]))
