from figures.parts import bowl_and_path


def valley(figure, names):
    """The same picture, of the data with two equal columns."""
    twins = {"features": names["twin"], "labels": names["twin_labels"]}
    bowl_and_path("valley", "true_b")(figure, {**names, **twins})
    _, start, end = figure.axes[0].lines
    for dot in (start, end):
        ((w1, w2),) = dot.get_xydata()
        assert abs(w1 + w2 - names["true_w"].sum().item()) < 1e-5


PICTURES = [
    bowl_and_path("path", "true_b"),
    valley,
]
