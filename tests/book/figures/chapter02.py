import numpy as np
import torch

from figures.parts import close, dots, legend, line


def batch_in_the_whole(figure, names):
    (ax,) = figure.axes
    everything, batch = ax.collections
    dots(everything, names["features"][:, 1], names["labels"])
    dots(batch, names["X"][:, 1], names["y"])
    assert len(names["y"]) == 20
    assert set(names["y"].flatten().tolist()) <= set(
        names["labels"].flatten().tolist()
    )
    assert batch.get_sizes()[0] > everything.get_sizes()[0]
    assert legend(ax) == ["all examples", "mini-batch"]


def jitter_of_batches(figure, names):
    (ax,) = figure.axes
    y = names["labels"].double().numpy().flatten()
    n, sigma = len(y), y.std()
    simple, exact = ax.lines
    m = simple.get_xdata()
    assert (m[0], len(m)) == (1, 200)
    assert 800 < m[-1] < n
    line(simple, m, sigma / m**0.5)
    line(exact, m, sigma / m**0.5 * ((n - m) / (n - 1)) ** 0.5)
    (measured,) = ax.collections
    sizes, heights = measured.get_offsets().T
    close(sizes, [1, 2, 5, 10, 20, 50, 100, 200, 500])
    close(heights, [names["spread"][size] for size in sizes])
    expected = sigma / sizes**0.5 * ((n - sizes) / (n - 1)) ** 0.5
    np.testing.assert_allclose(heights, expected, rtol=0.06)
    assert legend(ax) == [
        r"$\sigma_y/\sqrt{m}$",
        r"$\sigma_y/\sqrt{m}\cdot\sqrt{(n-m)/(n-1)}$",
    ]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$m$", "std of batch means")


def epoch_of_cards(figure, names):
    (ax,) = figure.axes
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(10, generator=generator)
    expected = []
    for k, batch in enumerate(order.split(4)):
        words = [f"batch {k + 1}", *batch.tolist(), f"$m = {len(batch)}$"]
        places = [-0.6, *range(len(batch)), 3.6]
        expected += [
            (str(w), x, k) for w, x in zip(words, places, strict=True)
        ]
    found = [(text.get_text(), *text.get_position()) for text in ax.texts]
    assert found == expected
    data = {"kind": "cards", "n": 10, "batch_size": 4, "seed": 0}
    assert figure.data == data


PICTURES = [
    batch_in_the_whole,
    jitter_of_batches,
    epoch_of_cards,
]
