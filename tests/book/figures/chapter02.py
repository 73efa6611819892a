import torch

from figures.parts import dots


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
    epoch_of_cards,
]
