"""Find and start the Chromium that prints the book and tests the site.

Run as a program, it brings one where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome"]
# No calls home; no sandbox, which containers do not offer.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def find_chromium(playwright: Playwright) -> str | None:
    """Return the path of $CHROMIUM, a system's Chromium or Playwright's."""
    candidates = [
        os.environ.get("CHROMIUM"),
        *map(shutil.which, NAMES),
        playwright.chromium.executable_path,
    ]
    return next((c for c in candidates if c and Path(c).exists()), None)


def bring_chromium() -> None:
    """Let Playwright install its own Chromium, if no other is found."""
    with sync_playwright() as playwright:
        if find_chromium(playwright):
            return
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    if subprocess.run(command, check=False).returncode:
        print("no Chromium could be installed: the site's tests are left out")


def launch(playwright: Playwright) -> Browser:
    """Start a headless Chromium; exit with advice when there is none."""
    path = find_chromium(playwright)
    if path is None:
        raise SystemExit(
            "no Chromium found: install Debian's `chromium`, or run "
            "`.venv/bin/playwright install chromium`, or set CHROMIUM"
        )
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


if __name__ == "__main__":
    bring_chromium()
