"""Linear regression from scratch in PyTorch: the code that the book teaches.

The modules follow the chapters: `data` (1, 2), `model` (3, 4), `loss` (5),
`optim` (6), `training` (7), `evaluate` (8). Real tables need `prepare` (11);
data larger than memory, `linreg.large`; the figures, `linreg.pictures`.
"""

from linreg.data import data_iter, gen_data
from linreg.evaluate import param_errors
from linreg.loss import squared_loss
from linreg.model import init_params, linreg
from linreg.optim import sgd
from linreg.training import train

__all__ = [
    "data_iter",
    "gen_data",
    "init_params",
    "linreg",
    "param_errors",
    "sgd",
    "squared_loss",
    "train",
]
