"""Write the pages of the book in English into a folder, to run them there."""

import argparse
import shutil
from pathlib import Path

from book._ext.contents import BOOK, everything, unlinked
from book._ext.english import english


def write(folder: Path) -> None:
    """Write what is not there yet: it may hold a reader's own work."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in everything():
        page = unlinked(path, english(path))
        target = folder / path.relative_to(BOOK)
        target.parent.mkdir(exist_ok=True)
        if not target.exists():
            target.write_text(page, "utf-8")
        elif target.read_text("utf-8") != page:
            print(f"{target} stays as it is: delete it to have the book's.")
    picture = Path("_static", "line.svg")
    (folder / picture).parent.mkdir(exist_ok=True)
    shutil.copy(BOOK / picture, folder / picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
