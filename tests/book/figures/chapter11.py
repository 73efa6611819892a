import numpy as np
import torch

from figures.parts import legend


def errors_and_condition(figure, names):
    (ax,) = figure.axes
    truth = torch.tensor([2, -3.4, 4.2], dtype=torch.float64)
    shifts = [10, 30, 100, 300, 1000, 3000, 10_000]
    features = names["features"].double()
    problems = [
        torch.cat([features + shift, torch.ones(1000, 1)], dim=1)
        for shift in shifts
    ]
    labels = [(X @ truth)[:, None] for X in problems]
    normal, qr, double, best, square, plain = ax.lines
    heights = []
    for artist, dtype in (
        (normal, torch.float32),
        (qr, torch.float32),
        (double, torch.float64),
        (best, torch.float64),
    ):
        expected = []
        for X, y in zip(problems, labels, strict=True):
            A, target = X.to(dtype), y.to(dtype)
            found = (
                torch.linalg.lstsq(A, target, driver="gels").solution
                if artist in (qr, best)
                else torch.linalg.solve(A.T @ A, A.T @ target)
            )
            expected.append((found.flatten() - truth).abs().max().item())
        same(artist, shifts, expected)
        heights.append(expected)
    kappa = np.array([np.linalg.cond(X.numpy()) for X in problems])
    same(square, shifts, 2.0**-23 * kappa**2)
    same(plain, shifts, 2.0**-23 * kappa)
    ends = [line[-1] for line in heights]
    assert ends == sorted(ends, reverse=True)
    assert legend(ax) == [
        "normal equations, float32",
        "QR, float32",
        "normal equations, float64",
        "QR, float64",
        r"$\kappa^2\varepsilon$",
        r"$\kappa\varepsilon$",
    ]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("shift", "largest error")


def same(artist, x, y):
    xs, ys = artist.get_xydata().T
    np.testing.assert_allclose(xs, x)
    np.testing.assert_allclose(np.log10(ys), np.log10(y), atol=1e-3)


PICTURES = [errors_and_condition]
