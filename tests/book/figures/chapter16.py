import numpy as np

from figures.parts import dots


def two_orders(figure, names):
    (ax,) = figure.axes
    n, size = len(names["place"]), 100
    for cloud, order in zip(
        ax.collections, names["orders"].values(), strict=True
    ):
        dots(cloud, range(n), order)
        assert sorted(order.int().tolist()) == list(range(n))
    full, blocks = (cloud.get_offsets()[:, 1] for cloud in ax.collections)
    assert all(len({*run // size}) == 1 for run in blocks.reshape(-1, size))
    assert all(len({*run // size}) > 5 for run in full.reshape(-1, size))
    assert abs(np.corrcoef(full, range(n))[0, 1]) < 0.1


PICTURES = [two_orders]
