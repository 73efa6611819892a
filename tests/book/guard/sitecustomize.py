"""Refuse what a notebook must not do: reach out, or write where it likes.

An audit hook sees what Python does in this process; child processes import
this module at their start, because `site` looks for its name. Everything may
be written below the folder in GUARD_FOLDER, nothing elsewhere; only this
machine may be talked to; only Python may be started (and ldconfig, by which
`import torch` finds a library). What is refused raises
PermissionError and is noted in the file `refused` of that folder, for a cell
may swallow the error. (What C++ opens, Python does not see: whoever runs a
notebook compares the folders as well.)
"""

import os
import socket
import sys

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    *("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename"),
    *("os.rmdir", "os.symlink", "os.truncate", "shutil.rmtree"),
    "sqlite3.connect",
}
ADDRESSES = {"socket.bind", "socket.connect", "socket.sendto"}
LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}
STARTS = {"os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"}
HERE = {None, "", "localhost", "127.0.0.1", "::1", socket.gethostname()}


def is_safe(event, arguments):
    if event == "open":
        path, _, flags = arguments
        return not flags & WRITING or is_inside(path)
    if event in ("os.remove", "os.rmdir") and arguments[1] != -1:
        return True  # a step of shutil.rmtree, which has been asked before
    if event in CHANGES:
        return all(is_inside(path) for path in arguments)
    if event in ADDRESSES:
        address = arguments[1]
        return not isinstance(address, tuple) or is_here(address[0])
    if event in LOOKUPS:
        return is_here(arguments[0])
    if event in STARTS:
        program = os.path.basename(os.fsdecode(arguments[0]))  # noqa: PTH119
        return program.startswith("python") or program == "ldconfig"
    return True


def is_inside(path):
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a mode, or a file that is open already
    path = os.path.realpath(os.fsdecode(path))
    folder = os.path.realpath(os.environ["GUARD_FOLDER"])
    return path.startswith((folder + os.sep, "/dev/"))


def is_here(host):
    return (host.decode() if isinstance(host, bytes) else host) in HERE


def hook(event, arguments):
    if "GUARD_FOLDER" in os.environ and not is_safe(event, arguments):
        refused = f"{event} {arguments[:2]}"
        name = os.path.join(os.environ["GUARD_FOLDER"], "refused")  # noqa: PTH118
        with open(name, "a", encoding="utf-8") as file:  # noqa: PTH123
            file.write(refused + "\n")
        raise PermissionError(f"a notebook must not: {refused}")


sys.addaudithook(hook)
