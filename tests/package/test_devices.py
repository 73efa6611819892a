"""The package in float64, and as far as a CPU can tell on a GPU.

torch's FakeTensorMode knows the shape, type and device of every result, but
not its numbers: what would mix devices fails there as it would on a GPU. It
takes no gradients on a device that is not there.
"""

from functools import partial

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from linreg import (
    data_iter,
    gen_data,
    init_params,
    linreg,
    param_errors,
    squared_loss,
    train,
)
from linreg.prepare import split_data

GPU = torch.device("cuda", 0)
DTYPES = [torch.float32, torch.float64]


class OnGPU(torch.Generator):
    """Says that it is on a GPU."""

    device = GPU


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_whole_book_in_one_type(dtype):
    true_w = torch.tensor([2, -3.4], dtype=dtype)
    features, labels = gen_data(true_w, 4.2, 1000, generator=seeded())
    w, b = init_params(2, generator=seeded(2), dtype=dtype)
    run = train(
        linreg,
        squared_loss,
        [w, b],
        features,
        labels,
        lr=0.03,
        batch_size=3,
        num_epochs=2,
        generator=seeded(2),
    )
    *_, (_, loss) = run
    assert loss < 0.0001
    errors = torch.cat(param_errors(true_w, 4.2, w, b))
    assert errors.abs().max() < 0.005
    for tensor in (features, labels, w, b, errors):
        assert tensor.dtype == dtype


def test_parameters_of_the_default_type_and_device():
    w, b = init_params(2)
    assert (w.dtype, b.dtype) == (torch.float32, torch.float32)
    assert (w.device.type, b.device.type) == ("cpu", "cpu")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("generator", [None, "cpu"])
def test_everything_stays_on_the_device(dtype, generator):
    with FakeTensorMode():
        source = seeded() if generator else None
        true_w = torch.empty(2, dtype=dtype, device=GPU)
        features, labels = gen_data(true_w, 4.2, 7, generator=source)
        batches = list(data_iter(3, features, labels, source))
        assert [len(X) for X, _ in batches] == [3, 3, 1]
        w = torch.empty(2, 1, dtype=dtype, device=GPU)
        b = torch.empty(1, dtype=dtype, device=GPU)
        X, y = batches[0]
        y_hat = linreg(X, w, b)
        losses = squared_loss(y_hat, y)
        errors = param_errors(true_w, 4.2, w, b)
        found = [features, labels, X, y, y_hat, losses, *errors]
        assert {t.device for t in found} == {GPU}
        assert {t.dtype for t in found} == {dtype}


def test_parameters_are_made_on_the_device():
    for source in (None, seeded()):
        for device in ("meta", torch.device("meta")):
            for param in init_params(2, generator=source, device=device):
                assert param.device.type == "meta"
                assert param.is_leaf
                assert param.requires_grad


def test_a_generator_draws_where_it_is():
    """Without one, torch's own of the device is asked."""
    asked = []

    def randn(*size, generator, dtype, device):
        asked.append(torch.device(device or "cpu").type)
        return torch.empty(*size, dtype=dtype, device="meta")

    true_w = torch.empty(2, device="meta")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", randn)
        gen_data(true_w, 4.2, 7, generator=seeded())
        init_params(2, generator=seeded(), device="meta")
        gen_data(true_w, 4.2, 7)
        init_params(2, device="meta")
    assert asked == ["cpu", "cpu", "cpu", "meta", "meta", "meta"]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (gen_data, (torch.ones(2), 4.2, 7)),
        (init_params, (2,)),
        (data_iter, (3, torch.ones(7, 2), torch.ones(7, 1))),
    ],
    ids=["gen_data", "init_params", "data_iter"],
)
def test_a_generator_elsewhere_cannot_serve(function, arguments):
    expected = "generator must be on cpu, got one on cuda:0"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        function(*arguments, generator=OnGPU())


def test_nor_can_one_of_another_device():
    expected = "generator must be on cpu or meta, got one on cuda:0"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        init_params(2, generator=OnGPU(), device="meta")


@pytest.mark.parametrize(
    ("dtype", "error", "named"),
    [
        ("float64", TypeError, "'float64'"),
        (float, TypeError, "object of type type"),
        (torch.int64, ValueError, "torch.int64"),
        (torch.complex64, ValueError, "torch.complex64"),
    ],
)
def test_only_floating_point_parameters(dtype, error, named):
    expected = f"^dtype must be a floating-point dtype, got {named}$"
    with pytest.raises(error, match=expected):
        init_params(2, dtype=dtype)


@pytest.mark.parametrize(
    "draw",
    [partial(data_iter, 3), partial(split_data, test_size=2)],
    ids=["data_iter", "split_data"],
)
def test_the_order_is_drawn_where_its_generator_is(draw):
    asked = []

    def randperm(n, *, generator, device):
        asked.append((generator, device))
        return torch.empty(n, dtype=torch.int64, device=GPU)

    on_gpu, on_cpu = OnGPU(), seeded()
    with FakeTensorMode(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randperm", randperm)
        features = torch.empty(7, 2, device=GPU)
        labels = torch.empty(7, 1, device=GPU)
        for generator in (on_gpu, on_cpu, None):
            list(draw(features, labels, generator=generator))
    cpu = torch.device("cpu")
    assert asked == [(on_gpu, GPU), (on_cpu, cpu), (None, None)]
