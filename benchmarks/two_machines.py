"""Train on two machines that fail, and print what happens as JSON: chapter 17.

    python -m benchmarks.two_machines

Each machine is a network namespace of Linux, with an address, a launcher and
a process of its own; a pair of virtual network cards joins them. Only root
can make namespaces. benchmarks/bench_processes.py stores the result.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from linreg import sgd, squared_loss
from linreg.large.files import seeded, stream_iter, write_data

ROOT = Path(__file__).parents[1]
SETTINGS = {"lr": 0.03, "batch_size": 25, "num_epochs": 10}
SAMPLE_SIZE = 1001
PROGRAM = f"""
import os, signal, sys, time
import torch
import torch.distributed as dist
from linreg.large.processes import process_group, train_distributed

victim = sys.argv[1]
torch.manual_seed(0)
net = torch.nn.Linear(2, 1)
with process_group():
    rank = dist.get_rank()
    for epoch, _ in train_distributed(net, "data", "run.pt", **{SETTINGS}):
        print("epoch", epoch, flush=True)
        if str(rank) == victim and epoch == 3 and not os.path.exists("killed"):
            open("killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.3)
"""


def why_not():
    """Say why this machine cannot pretend to be two, or nothing."""
    if shutil.which("ip") is None:
        return "there is no ip (iproute2)"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    made = subprocess.run(
        ["unshare", "--net", "true"], capture_output=True, check=False
    )
    return "" if made.returncode == 0 else "namespaces are not allowed"


class Machines:
    """Two machines with a network between them, and a folder they share."""

    def __init__(self, folder, restarts=2):
        self.folder = Path(folder)
        self.restarts = restarts
        self.names = [f"linreg{os.getpid()}-{k}" for k in range(2)]
        self.cards = [f"lr{os.getpid()}-{k}" for k in range(2)]
        self.launchers = [None, None]

    def __enter__(self):
        for name in self.names:
            ip("netns", "add", name)
        first, second = self.cards
        ip("link", "add", first, "type", "veth", "peer", "name", second)
        for k, (name, card) in enumerate(
            zip(self.names, self.cards, strict=True)
        ):
            ip("link", "set", card, "netns", name)
            ip("-n", name, "address", "add", address(k) + "/24", "dev", card)
            ip("-n", name, "link", "set", card, "up")
            ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for k in range(2):
            self.kill(k)
        for name in self.names:
            ip("netns", "delete", name)

    def start(self, k, victim=""):
        """Start the launcher of machine k."""
        command = ["ip", "netns", "exec", self.names[k], sys.executable]
        command += ["-m", "torch.distributed.run", "--nnodes=2"]
        command += ["--nproc-per-node=1", f"--max-restarts={self.restarts}"]
        command += ["--rdzv-backend=c10d", f"--rdzv-endpoint={address(0)}"]
        command += [f"--rdzv-conf=is_host={1 - k}", "--rdzv-id=1"]
        command += [f"--local-addr={address(k)}", "program.py", str(victim)]
        variables = {
            "GLOO_SOCKET_IFNAME": self.cards[k],
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
        }
        with self.output(k).open("a") as output:
            self.launchers[k] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | variables,
                stdout=output,
                stderr=output,
            )

    def kill(self, k):
        """Let machine k lose power."""
        found = ip("netns", "pids", self.names[k])
        for pid in map(int, found.split()):
            os.kill(pid, signal.SIGKILL)
        if self.launchers[k] is not None:
            self.launchers[k].wait()

    def network(self, state):
        """Cut the network (down), or mend it (up)."""
        ip("-n", self.names[1], "link", "set", self.cards[1], state)

    def output(self, k):
        return self.folder / f"machine{k}.txt"

    def epoch(self):
        """Say which epoch is done, by what machine 0 printed."""
        lines = self.output(0).read_text().splitlines()
        epochs = [int(line[6:]) for line in lines if line.startswith("epoch ")]
        return epochs[-1] if epochs else 0

    def wait_for_epoch(self, epoch, seconds=120):
        end = time.monotonic() + seconds
        while self.epoch() < epoch:
            if time.monotonic() > end:
                raise TimeoutError(self.output(0).read_text())
            time.sleep(0.05)

    def wait(self, seconds=180):
        """Give the launchers this long; None is one that is not done."""
        end = time.monotonic() + seconds
        for launcher in self.launchers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                launcher.wait(max(0, end - time.monotonic()))
        return [launcher.poll() for launcher in self.launchers]


def ip(*arguments):
    return subprocess.run(
        ["ip", *arguments], capture_output=True, text=True, check=True
    ).stdout


def address(k):
    return f"10.77.0.{k + 1}"


def prepare(folder):
    """Write data and program, and return what one process makes of them."""
    w = torch.tensor([2, -3.4])
    write_data(folder / "data", w, 4.2, SAMPLE_SIZE, noise_std=1.0)
    (folder / "program.py").write_text(PROGRAM)
    torch.manual_seed(0)
    net = torch.nn.Linear(2, 1)
    for epoch in range(1, SETTINGS["num_epochs"] + 1):
        for X, y in stream_iter(
            SETTINGS["batch_size"],
            folder / "data",
            generator=seeded(0, epoch),
        ):
            squared_loss(net(X), y).sum().backward()
            sgd(list(net.parameters()), SETTINGS["lr"], len(X))
    return net.state_dict()


def difference(folder, expected):
    """Compare the checkpoint with what one process has found."""
    content = (folder / "run.pt").read_bytes()[32:]  # before it, a checksum
    saved = torch.load(io.BytesIO(content), weights_only=True)
    assert saved["epoch"] == SETTINGS["num_epochs"]
    found = saved["weights"]
    return max(
        (found[name] - value).abs().max().item()
        for name, value in expected.items()
    )


def undisturbed(machines):
    pass


def worker_killed(machines):
    pass  # it kills itself


def machine_killed(machines):
    machines.wait_for_epoch(3)
    machines.kill(1)
    machines.start(1)


def host_killed(machines):
    machines.wait_for_epoch(3)
    machines.kill(0)


def network_cut(seconds):
    def cut(machines):
        machines.wait_for_epoch(3)
        machines.network("down")
        time.sleep(seconds)
        machines.network("up")

    return cut


EVENTS = {
    "nothing": undisturbed,
    "worker killed": worker_killed,
    "machine 1 killed, started again": machine_killed,
    "machine 0 killed": host_killed,
    "network cut for 5 s": network_cut(5),
    "network cut for 40 s": network_cut(40),
}


def experiment(event, seconds=150):
    """Say how it ends, after how long, and whether the weights are right."""
    with TemporaryDirectory() as scratch, Machines(scratch) as machines:
        folder = Path(scratch)
        expected = prepare(folder)
        for k in range(2):
            machines.start(k, 1 if event is worker_killed else "")
        event(machines)
        after = time.monotonic()
        codes = machines.wait(seconds)
        found = {
            "exit_codes": codes,
            "seconds_after": round(time.monotonic() - after),
            "epochs": machines.epoch(),
        }
        if machines.epoch() == SETTINGS["num_epochs"]:
            found["same_weights"] = difference(folder, expected) < 1e-6
        return found


def all_events():
    if reason := why_not():
        return {"not_run": reason}
    return {name: experiment(event) for name, event in EVENTS.items()}


if __name__ == "__main__":
    print(json.dumps(all_events(), indent=2))
