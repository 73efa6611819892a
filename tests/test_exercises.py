"""A check that no wrong answer fails checks nothing: plant one for each.

For every exercise, WRONG_ANSWERS names a piece of the solution and what a
learner might have written instead. The solution must pass the check that
follows it; each wrong answer must run, and fail there.
"""

import pytest
from running import NOTEBOOKS, run

# chapter, exercise, a piece of the solution, a wrong answer in its place
WRONG_ANSWERS = [
    ("01-data", 1, "[0.5, -1.0]", "[0.5, 1.0]"),
    ("01-data", 2, "noise_std=1.0", "noise_std=0.1"),
    ("01-data", 3, "4.0, 5.0]", "4.0]"),
    ("01-data", 3, "0.0, 100)", "1.0, 100)"),
    ("01-data", 4, ".sum(dim=0)", ".sum()"),
    ("01-data", 4, "len(labels) - 1", "1"),
    ("02-iteration", 1, "[len(X) for", "[batch_size for"),
    ("02-iteration", 2, "len(X) == batch_size", "len(X) <= batch_size"),
    ("02-iteration", 3, "torch.Generator().manual_seed(7)", "generator"),
    ("02-iteration", 4, "indices[batch_size:]", "indices[batch_size + 1 :]"),
    ("02-iteration", 4, "random.Random(seed).shuffle(indices)", "pass"),
    ("02-iteration", 4, "labels[chosen]", "labels[sorted(chosen)]"),
    ("03-autograd", 1, "(x**3).sum().backward()", "(x**2).sum().backward()"),
    ("03-autograd", 1, "lambda x: (x**3)", "lambda x: (x**2)"),
    ("03-autograd", 2, "(second,) = ", "second = recorded; _ = "),
    ("03-autograd", 3, "tensor([2.0], dtype", "tensor([3.0], dtype"),
    ("03-autograd", 3, "return x", "return x * x"),
    ("03-autograd", 4, "@ w - labels", "@ w + labels"),
    ("04-model", 1, "param.numel()", "1"),
    ("04-model", 2, "torch.ones", "torch.zeros"),
    ("04-model", 3, "[[0.0], [1.0]]", "[[1.0], [0.0]]"),
    ("04-model", 4, ".sum().backward()", ".mean().backward()"),
    ("05-loss", 1, "- target) ** 2)", "- target) ** 2 / 2)"),
    ("05-loss", 2, ".abs()", ".square()"),
    ("05-loss", 3, "y.flatten()", "y"),
    ("05-loss", 4, "(prediction, 1.0)", "(prediction, 2.0)"),
    ("06-sgd", 1, "(torch.mean, 1)", "(torch.mean, 10)"),
    ("06-sgd", 2, ".mean()", ".sum()"),
    ("06-sgd", 3, "lr * theta", "lr"),
    ("06-sgd", 4, "set_grad_enabled(previous)", "set_grad_enabled(True)"),
    ("06-sgd", 4, "finally:", "except NameError:"),
    ("07-training", 1, "next(epoch for", "next(epoch - 1 for"),
    ("07-training", 1, "lr=0.03", "lr=0.003"),
    ("07-training", 2, "(data_iter, in_order)", "(data_iter, data_iter)"),
    ("07-training", 3, "(1000, 1.0)", "(1000, 0.1)"),
    ("07-training", 4, "1000 / w.item()", "1 / w.item()"),
    ("07-training", 4, "num_epochs=1000", "num_epochs=1"),
    ("08-evaluation", 1, "0.003, 0.0003", "0.03, 0.03"),
    ("08-evaluation", 2, "errors.square().mean().sqrt()", "errors.mean()"),
    ("08-evaluation", 3, "size <= 1", "size > 1"),
    ("08-evaluation", 4, "manual_seed(99)", "manual_seed(1)"),
    ("09-concise", 1, "0.1 / 2 / 10", "0.1 / 10"),
    ("09-concise", 1, "0.1 / 2 / 10", "0.1 / 2"),
    ("09-concise", 2, "std=0.01", "std=0.01**2"),
    ("09-concise", 2, "nn.init.zeros_(wide.bias)", "pass"),
    (
        "09-concise",
        3,
        "    squared_loss,",
        "    nn.MSELoss(reduction='none'),",
    ),
    ("09-concise", 3, "net(X)", "2 * net(X)"),
    ("09-concise", 4, "optimizer.zero_grad()", "pass"),
    ("09-concise", 4, "optim.Adam(", "optim.SGD("),
    ("10-check", 1, ".abs().max()", ".max()"),
    ("10-check", 1, ".mean().backward()", ".sum().backward()"),
    ("10-check", 2, "/ (2 * h)", "/ h"),
    ("10-check", 2, "total_loss(params - h * e)", "total_loss(params)"),
    ("10-check", 3, "1000 * alpha)", "alpha)"),
    ("10-check", 3, "X.T @ X / 1000", "X.T @ X"),
    ("10-check", 3, "X64 - X64.mean(dim=0)", "X64"),
    ("11-speed", 1, '"framework"', '"linreg"'),
    ("11-speed", 2, "-(-10_000 // m) for m", "m for m"),
    ("11-speed", 3, "error.mean(dim=0)", "error.sum(dim=0)"),
    ("11-speed", 3, "X.T @ error", "X.T @ y"),
    ("11-speed", 4, "iterate(32, *data100k)", "[iterate(32, *data100k)]"),
    ("11-speed", 4, "min(best, ", "max(best, "),
    ("12-scale", 1, "XtX += ", "XtX = "),
    ("12-scale", 1, "y.double()", "y.double() + 1"),
    ("12-scale", 2, "for rank in range(6)", "for rank in range(5)"),
    ("12-scale", 2, "shards(10, 4, rank, 6)", "shards(10, 4, 0, 6)"),
    ("12-scale", 3, " * np.log(2) / a", " / a"),
    ("12-scale", 3, "c * 10**k / time))", "best))"),
    ("12-scale", 4, "] += sent[r]", "] = sent[r]"),
    ("12-scale", 4, "(r + 1 - s) % p].item()", "(r - s) % p].item()"),
]


def test_every_exercise_has_a_wrong_answer():
    exercises = {
        (path.stem, number)
        for path in NOTEBOOKS
        for number in range(1, len(run(path).solutions) + 1)
    }
    assert {planted[:2] for planted in WRONG_ANSWERS} == exercises


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_pass(path):
    for solution in run(path).solutions:
        assert solution.accepts(solution.source)


@pytest.mark.parametrize(
    ("chapter", "number", "right", "wrong"),
    WRONG_ANSWERS,
    ids=[f"{chapter}-{number}" for chapter, number, *_ in WRONG_ANSWERS],
)
def test_wrong_answers_fail(chapter, number, right, wrong):
    (path,) = [path for path in NOTEBOOKS if path.stem == chapter]
    solution = run(path).solutions[number - 1]
    assert solution.source.count(right) == 1
    assert not solution.accepts(solution.source.replace(right, wrong))
