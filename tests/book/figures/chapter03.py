def graph(figure, names):
    (ax,) = figure.axes
    x = names["x"].detach().numpy()
    shown = sorted(text.get_text() for text in ax.texts)
    listed = ", ".join(f"{value:g}" for value in x)
    slopes = ", ".join(f"{4 * value:g}" for value in x)
    assert shown == sorted(
        [
            *("", "", "", ""),  # the arrows
            *("forward: values", "backward: gradients"),
            f"x\n[{listed}]",
            f"s = x·x\n{x @ x:g}",
            f"y = 2s\n{2 * x @ x:g}",
            *("dy/ds = 2", f"dy/dx = [{slopes}]"),
        ]
    )


PICTURES = [
    graph,
]
