import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def examples(generator):
    from linreg import gen_data

    return gen_data(torch.tensor([2, -3.4]), 4.2, 1000, generator=generator)
