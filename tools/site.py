"""Build the book in Chinese and in English, side by side."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from yaml import safe_dump, safe_load

from book._ext import contents
from book._ext.downloads import made_before
from book._ext.editions import SOLUTIONS
from book._ext.english import setting, sources, title, words
from book._ext.running import write_program
from book._ext.search_records import write_index

ROOT = Path(__file__).parents[1]
LANGUAGES = contents.languages()
ENGLISH = dict.fromkeys(("language", "epub_language"), "en")
TEMPLATES = ROOT / "book" / "_templates" / "top"
CANONICAL = re.compile(
    '<link rel="canonical" href="(.*)\\w\\w/book/index.html"'
)


def english_settings(config: Path, folder: Path) -> list[str]:
    """Write the settings of the English edition; return the options."""
    options = []
    for option, path in (("config", config), ("toc", ROOT / "_toc.yml")):
        settings = setting(safe_load(path.read_text("utf-8")))
        if option == "config":
            extensions = settings["sphinx"]["local_extensions"]
            settings["sphinx"]["local_extensions"] = {
                name: str(ROOT / path) for name, path in extensions.items()
            }
            settings["sphinx"]["config"] |= ENGLISH
        written = folder / f"_{option}.yml"
        written.write_text(safe_dump(settings, allow_unicode=True), "utf-8")
        options += [f"--{option}", str(written)]
    return options


def start(
    language: str, folder: Path, options: list[str], config: Path
) -> subprocess.Popen[bytes]:
    """Start to build one edition into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build"]
    command += [str(ROOT), "--path-output", str(folder)]
    command += ["--quiet", "--warningiserror", "--keep-going", *options]
    if language == "en":
        command += english_settings(config, folder)
    else:
        command += ["--config", str(config)]
    # A build that fails leaves KaTeX's server behind, which would keep a pipe
    # open for ever: its output goes to a file.
    with (folder / "build.log").open("wb") as log:
        return subprocess.Popen(
            command,
            env=os.environ | {"BOOK_LANGUAGE": language},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def forget_another_book(folder: Path) -> None:
    """Leave nothing of what was built with other contents or settings.

    A page that is gone, or solutions, would stay where they can be found.
    """
    settings = [path.read_text("utf-8") for path in contents.SETTINGS]
    made_of = f"solutions: {SOLUTIONS}\n{''.join(settings)}"
    stamp = folder / "made-of.yml"
    if not stamp.exists() or stamp.read_text("utf-8") != made_of:
        for language in contents.LANGUAGES:
            shutil.rmtree(folder / language / "_build", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_text(made_of, "utf-8")


def build(
    folder: Path,
    options: list[str],
    config: Path = ROOT / "_config.yml",
    languages: Iterable[str] = LANGUAGES,
) -> None:
    """Build the editions below a folder; exit with what a failed one said."""
    forget_another_book(folder)
    running = {
        language: start(language, folder / language, options, config)
        for language in languages
    }
    said = ""
    for language, process in running.items():
        if process.wait():
            said += (folder / language / "build.log").read_text("utf-8")
            # Its pages must not be taken for good by the next build.
            shutil.rmtree(folder / language / "_build", ignore_errors=True)
    if said:
        raise SystemExit(said)


def join(folder: Path, site: Path) -> None:
    """Make one site of both editions, with a page that leads to either."""
    shutil.rmtree(site, ignore_errors=True)
    for language in LANGUAGES:
        shutil.copytree(
            folder / language / "_build" / "html",
            site / language,
            copy_function=os.link,
        )
    with ThreadPoolExecutor() as threads:
        list(threads.map(partial(write_index, site), LANGUAGES))
    write_program(site / "run")
    front = (site / language / "book" / "index.html").read_text("utf-8")
    known = CANONICAL.search(front)
    home = known[1] if known else ""
    templates = Environment(loader=FileSystemLoader(TEMPLATES))
    # Without its address the site cannot say where its pages are; a page that
    # is not there finds out in the browser.
    names = ["index.html", "404.html", *(["sitemap.xml"] if home else [])]
    for name in names:
        template = templates.get_template(name)
        page = template.render(home=home, languages=LANGUAGES, title=title)
        (site / name).write_text(f"{page}\n", "utf-8")
    # Or GitHub, asked to publish a branch, leaves out `_static`.
    (site / ".nojekyll").touch()


def main() -> None:
    """Build the site in `_build/html`, or whatever the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "options", nargs="*", help="for jupyter-book, after --"
    )
    options = parser.parse_args().options
    build(ROOT / "_build", options)
    if not options:
        join(ROOT / "_build", ROOT / "_build" / "html")
        for language in LANGUAGES:
            for path in made_before(ROOT, language)[1]:
                print(f"{path.name} is of an older book, and left out.")
    for line in contents.report():
        print(line)
    missing = sum(
        text not in words(name) for name, said in sources() for text in said
    )
    if missing:
        print(f"{missing} pieces have no English yet: see `make locale`.")


if __name__ == "__main__":
    main()
