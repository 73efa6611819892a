"""Lines that a curious reader might write, for both torch and its stand-in.

`snippets.txt` has the lines, with holes, and what may fill them.
"""

import re
from pathlib import Path

TEXT = Path(__file__).with_suffix(".txt").read_text("utf-8")
PARTS = re.split(r"(?m)^\[([a-z_]+)\]\n", TEXT)
LINES = {
    title: [line for line in lines.splitlines() if line]
    for title, lines in zip(PARTS[1::2], PARTS[2::2], strict=True)
}
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.0, 0.1, 3.25, -7.0, 1e-5, 12345.678, 0.5]
ODD = ["float('inf')", "float('-inf')", "float('nan')", "1e30"]
WHOLE = [0, 1, -1, 2, 3, -7, 100, 5]
NUMBERS = {"float32": FLOATS, "float64": FLOATS, "int64": WHOLE}
NUMBERS["bool"] = [True, False]
SHAPES = [(), (0,), (1,), (3,), (4,), (2, 3), (3, 2), (3, 1), (1, 3), (3, 3)]
SHAPES += [(2, 0), (0, 2), (9,), (17, 2), (1, 1)]


def nested(pick, kind, shape):
    """The source of a list of numbers."""
    if not shape:
        odd = kind.startswith("float") and pick(range(12)) == 0
        return str(pick(ODD if odd else NUMBERS[kind]))
    parts = [nested(pick, kind, shape[1:]) for _ in range(shape[0])]
    return f"[{', '.join(parts)}]"


def tensor(pick, kind="", shape=None):
    """The source of a tensor, maybe a view of one, or a result."""
    kind = kind or pick(["float32"] * 4 + [*NUMBERS])
    shape = pick(SHAPES) if shape is None else shape
    made = f"torch.tensor({nested(pick, kind, shape)}, dtype=torch.{kind})"
    if 0 in shape:
        made = f"torch.zeros({shape}, dtype=torch.{kind})"
    if kind.startswith("float") and pick(range(3)) == 0:
        made += ".requires_grad_()"
        made = pick([made, made, f"({made} * 1)"])
    views = LINES["views"] if len(shape) > 1 else LINES["views"][:4]
    return pick([made, made, pick(views).format(made)])


def filler(pick, hole):
    """What may stand in a hole: o and a are made, the others listed."""
    if hole == "o":
        made = ["y", "y", "x", tensor(pick), tensor(pick), pick(LINES["w"])]
        return pick([*made, pick(LINES["s"]), pick(LINES["s"])])
    if hole == "a":
        dim, keep = filler(pick, "d"), f"keepdim={pick(LINES['b'])}"
        calls = ["", dim, f"dim={dim}", f"dim={dim}, {keep}", f"{dim}, True"]
        return pick([*calls, keep])
    wrong = hole in "sd" and pick(range(8)) == 0
    return pick(LINES["w" if wrong else hole])


def call(pick, name):
    """A call with arguments taken at random, most of them wrong."""
    given = [filler(pick, pick("osdbtlzw")) for _ in range(pick(range(4)))]
    if given and pick(range(3)) == 0:
        key = pick(["dim", "dtype", "keepdim", "out", "other", "generator"])
        given[-1] = f"{key}={given[-1]}"
    return f"{pick(['x', 'torch'])}.{name}({', '.join(given)})"


def snippet(pick, template):
    """Some lines of code that leave a result in r."""
    line = re.sub(
        r"(?<!\{)\{(\w)\}(?!\})", lambda hole: filler(pick, hole[1]), template
    )
    line = line.replace("{{", "{").replace("}}", "}").replace("⏎ ", "\n")
    line = call(pick, template) if template.isidentifier() else line
    kind = pick(["float32"] * 4 + ["float64", "", ""])
    shape = pick([None, pick(SHAPES), pick(SHAPES)])
    made = "g = torch.Generator().manual_seed(7)\n"
    made += f"x = {tensor(pick, kind, shape)}\ny = {tensor(pick, kind, shape)}"
    if template not in LINES["changes"]:
        return f"{made}\nr = {line}"
    off = f"with torch.no_grad():\n    {line}" if ":" not in template else line
    return f"{made}\n{pick([line, off])}\nr = x"
