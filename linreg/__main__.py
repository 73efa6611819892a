"""The command line, for data larger than memory: chapters 16 and 17."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from linreg.large.files import (
    TYPES,
    convert_csv,
    open_data,
    read_block,
    shuffle_data,
    write_data,
)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; `--help` prints what there is."""
    parser = argparse.ArgumentParser(
        prog="python -m linreg",
        description="Make a folder of data larger than memory; train on it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, run: object) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    add = command("write", "make up examples", write_data).add_argument
    add("folder", help="new; gets features.npy and labels.npy")
    add("--w", type=float, nargs="+", required=True, help="true weights")
    add("--b", type=float, required=True, help="true bias")
    add("--sample-size", type=int, required=True, help="how many examples")
    add("--noise-std", type=float, default=0.01, help="its size (0.01)")
    add("--seed", type=int, default=0, help="decides the numbers (0)")

    add = command("csv", "convert a table", convert_csv).add_argument
    add("source", help="its first line names the columns")
    add("folder", help="new; gets features.npy and labels.npy")
    add("--label", required=True, help="name of the label's column")
    add("--dtype", choices=TYPES, default="float32", help="(float32)")

    add = command("shuffle", "shuffle a folder", shuffle_data).add_argument
    add("source", help="folder with features.npy and labels.npy")
    add("target", help="new; gets the same examples in another order")
    add("--seed", type=int, default=0, help="decides the order (0)")

    text = "train in the processes of torch.distributed.run, or in one"
    add = command("train", text, train).add_argument
    add("folder", help="with features.npy and labels.npy")
    add("checkpoint", help="file for the weights")
    add("--lr", type=float, default=0.03, help="learning rate (0.03)")
    text = "examples in a batch of all processes (10)"
    add("--batch-size", type=int, default=10, help=text)
    add("--num-epochs", type=int, default=3, help="how many (3)")
    text = "examples in memory at a time (100000)"
    add("--block-size", type=int, default=100_000, help=text)
    add("--seed", type=int, default=0, help="decides weights and order (0)")

    # argparse takes "-1e-3" for an option, but not " -1e-3".
    number = re.compile(r"-\.?\d[\d.]*(e[-+]?\d+)?", re.IGNORECASE)
    return parser.parse_args(
        [f" {a}" if number.fullmatch(a) else a for a in arguments]
    )


def train(folder: str, checkpoint: str, **settings: Any) -> None:  # noqa: ANN401
    """Train a linear model from random weights; process 0 says how it goes."""
    # Half of the start of each command, and the others need none of it.
    from linreg.large.processes import process_group, train_distributed

    with process_group():
        X, _ = read_block(folder, 0, 1)
        torch.manual_seed(settings["seed"])
        net = nn.Linear(X.shape[1], 1, dtype=X.dtype)
        run = train_distributed(net, folder, checkpoint, **settings)
        for epoch, loss in run:
            if dist.get_rank() == 0:
                print(f"epoch {epoch}, loss {loss:f}", flush=True)
        if dist.get_rank() == 0:
            w = " ".join(f"{value:.4f}" for value in net.weight.flatten())
            print(f"w {w} b {net.bias.item():.4f}", flush=True)


def main() -> None:
    """Run one command; say what was made, or in one line what is wrong."""
    settings = vars(parse(sys.argv[1:]))
    run = settings.pop("run")
    if "w" in settings:
        settings["w"] = torch.tensor(settings["w"])
    try:
        run(**settings)
        if run is not train:
            folder = settings.get("folder") or settings["target"]
            n, d = open_data(folder)[0].shape
            print(f"{folder}: {n} examples, {d} features")
    # RuntimeError: another process has died, says gloo in a line of its own.
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        sys.exit(f"linreg: {error}")


if __name__ == "__main__":
    main()
