"""Lines that a curious reader might write, for both torch and its stand-in.

`snippets.txt` has the lines, with holes, and what may fill them.
"""

import re
from pathlib import Path

TEXT = Path(__file__).with_suffix(".txt").read_text("utf-8")
LINES = {
    title: lines.split("\n")
    for title, lines in re.findall(r"\[(\w+)\]\n((?:.+\n)+)", TEXT)
}
LINES = {title: lines[:-1] for title, lines in LINES.items()}
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.0, 0.1, 3.25, -7.0, 1e-5, 12345.678, 0.5]
ODD = ["float('inf')", "float('-inf')", "float('nan')", "1e30"]
WHOLE = [0, 1, -1, 2, 3, -7, 100, 5]
NUMBERS = {"float32": FLOATS, "float64": FLOATS, "int64": WHOLE}
NUMBERS |= {"int32": WHOLE, "bool": [True, False]}
SHAPES = [(), (0,), (1,), (3,), (4,), (2, 3), (3, 2), (3, 1), (1, 3), (3, 3)]
SHAPES += [(2, 0), (0, 2), (9,), (2, 2, 2), (17, 2), (1, 1)]
VIEWS = ["{}[1:]", "{}[::2]", "{}.reshape(-1)", "{}[None]", "{}[0]", "{}.T"]
VIEWS += ["{}[:, 1:]", "{}[:, 0]", "{}.expand(2, 3)", "{}.T[1:]"]


def nested(pick, kind, shape):
    """The source of a list of numbers."""
    if not shape:
        odd = kind.startswith("float") and pick(range(12)) == 0
        return str(pick(ODD if odd else NUMBERS[kind]))
    parts = [nested(pick, kind, shape[1:]) for _ in range(shape[0])]
    return f"[{', '.join(parts)}]"


def tensor(pick, kind="", shape=None):
    """The source of a tensor, maybe a view of one, or a result."""
    kind = kind or pick(["float32"] * 5 + [*NUMBERS])
    shape = pick(SHAPES) if shape is None else shape
    made = f"torch.tensor({nested(pick, kind, shape)}, dtype=torch.{kind})"
    made += f".reshape({shape})" if len(shape) > 1 else ""
    if kind.startswith("float") and pick(range(3)) == 0:
        made += ".requires_grad_()"
        made = pick([made, made, f"({made} * 1)"])
    views = VIEWS if len(shape) > 1 else VIEWS[:4]
    return pick([made, made, pick(views).format(made)])


def operand(pick):
    """x, y, another tensor, a number, or something else."""
    choices = ["y", "y", "x", tensor(pick), tensor(pick), pick(LINES["s"])]
    return pick([*choices, pick(LINES["s"]), pick(LINES["w"])])


def arguments(pick):
    """Arguments of a sum."""
    dim = filler(pick, "d")
    keep = f"keepdim={pick(LINES['b'])}"
    return pick(
        ["", dim, f"dim={dim}", f"dim={dim}, {keep}", f"{dim}, True", keep]
    )


def filler(pick, hole):
    if hole in "oa":
        return operand(pick) if hole == "o" else arguments(pick)
    wrong = hole in "sd" and pick(range(8)) == 0
    return pick(LINES["w" if wrong else hole])


def snippet(pick, template):
    """Some lines of code that leave a result in r."""
    line = re.sub(
        r"(?<!\{)\{(\w)\}(?!\})", lambda hole: filler(pick, hole[1]), template
    )
    line = line.replace("{{", "{").replace("}}", "}")
    if template in LINES["makers"]:
        seed = pick([0, 1, 7, 12345])
        return f"g = torch.Generator().manual_seed({seed})\nr = {line}"
    kind = pick(["float32"] * 4 + ["float64", "", ""])
    shape = pick([None, pick(SHAPES), pick(SHAPES)])
    made = (
        f"x = {tensor(pick, kind, shape)}\ny = {tensor(pick, kind, shape)}\n"
    )
    if template in LINES["each"]:
        return f"{made}r = {line}"
    off = f"with torch.no_grad():\n    {line}" if ":" not in template else line
    return made + pick([line, off]) + "\nr = x"
