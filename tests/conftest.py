import threading

import matplotlib as mpl
import pytest
import torch
from hypothesis import Phase, settings
from tqdm import tqdm

mpl.use("Agg")
# Its own lock is shared with child processes: one that is killed while it
# holds the lock, as make mutants may do, would stop all the others.
tqdm.set_lock(threading.RLock())

# The same examples every time, on a slow machine too.
settings.register_profile("linreg", deadline=None, derandomize=True)
settings.register_profile(
    "mutants",  # a fault is to be found, not to be made small
    settings.get_profile("linreg"),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("linreg")


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def examples(generator):
    from linreg import gen_data

    return gen_data(torch.tensor([2, -3.4]), 4.2, 1000, generator=generator)
