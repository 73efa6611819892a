"""Serve the built site the way a good host does: gzipped, cached."""

import argparse
import asyncio
from pathlib import Path

from tornado.web import Application, StaticFileHandler

SITE = Path(__file__).parents[1] / "_build" / "html"


class CachedFile(StaticFileHandler):
    """A file that browsers may keep for a day."""

    CACHE_MAX_AGE = 24 * 60 * 60

    def get_cache_time(self, *_: object) -> int:
        """Return how long a browser may keep the file, in seconds."""
        return self.CACHE_MAX_AGE


def application(site: Path, prefix: str = "/") -> Application:
    """Serve a folder under a path such as `/` or `/name/`."""
    options = {"path": str(site), "default_filename": "index.html"}
    routes = [(rf"{prefix}(.*)", CachedFile, options)]
    return Application(routes, compress_response=True)


async def serve(site: Path, port: int) -> None:
    """Serve until interrupted."""
    application(site).listen(port, "localhost")
    print(f"http://localhost:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=8000)
    parser.add_argument("--site", type=Path, default=SITE)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.site, arguments.port))
