import threading

import pytest
from hypothesis import Phase, settings

# The same examples every time, on a slow machine too.
settings.register_profile("linreg", deadline=None, derandomize=True)
settings.register_profile(
    "mutants",  # a fault is to be found, not to be made small
    settings.get_profile("linreg"),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("linreg")


@pytest.fixture(scope="session", autouse=True)
def settled():
    """Only a worker imports what takes long."""
    import matplotlib as mpl
    from tqdm import tqdm

    mpl.use("Agg")
    # Its own lock is shared with child processes: one that is killed while it
    # holds the lock, as make mutants may do, would stop all the others.
    tqdm.set_lock(threading.RLock())


@pytest.fixture
def generator():
    import torch

    return torch.Generator().manual_seed(0)


@pytest.fixture
def examples(generator):
    import torch

    from linreg import gen_data

    return gen_data(torch.tensor([2, -3.4]), 4.2, 1000, generator=generator)
