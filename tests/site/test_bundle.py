"""What there is to run without git: the ZIP, and a chapter alone."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest
from book_pages import CI, EDITIONS, ROOT, parse

from book._ext import contents
from book._ext.english import english
from book._ext.first_cell import SAY, put_first_cell

IMPORTED = re.compile(r"^ *(?:import|from) (\w+)", re.M)
BLOCK = re.compile(r"^```(\w+)\n(.*?)\n```", re.M | re.S)
# As JupyterLab runs it, in the folder where the notebook is.
RUN = """\
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
del notebook.cells[6:]  # what it imports and reads stands in the first
NotebookClient(notebook, resources={"metadata": {"path": "."}}).execute()
"""


def ran(command, folder, **options):
    """Run something as a reader does, who has nothing set; and no network."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "PIP_"))
    }
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    env |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false"}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lend_packages(folder):
    """Let a new environment find the packages of this one.

    All but the book's own: it would take minutes and gigabytes to install
    PyTorch once more. What is asked for, and in which version, pip checks.
    """
    (packages,) = folder.glob(".venv/lib/python*/site-packages")
    own = sysconfig.get_paths()["purelib"]
    line = f"import sys; sys.path.insert(0, {own!r})\n"
    (packages / "lent.pth").write_text(line, "utf-8")
    return folder / ".venv" / "bin" / "python"


@pytest.fixture(scope="module", params=EDITIONS)
def bundle(request, site, tmp_path_factory):
    """The unpacked ZIP of an edition, and the edition."""
    edition = request.param
    folder = tmp_path_factory.mktemp(edition)
    name = f"linreg-book-{edition}"
    with ZipFile(site / edition / f"{name}.zip") as packed:
        packed.extractall(folder)
    assert [path.name for path in folder.iterdir()] == [name]
    return folder / name, edition


def test_the_zip_has_the_notebooks_of_its_language(bundle):
    folder, edition = bundle
    tracked = subprocess.run(
        ["git", "ls-files", "linreg", "benchmarks", *contents.notebooks()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert len(tracked) > 25
    for name in [*tracked, "LICENSE", "pyproject.toml"]:
        own = (ROOT / name).read_bytes()
        if edition == "en" and name.startswith("book/"):
            own = english(ROOT / name).encode()
        if name.startswith("book/"):
            own = contents.unlinked(ROOT / name, own.decode()).encode()
        assert (folder / name).read_bytes() == own, name
    assert "{{" not in (folder / "book" / "index.md").read_text("utf-8")


def test_page_and_readme_show_the_same_lines(bundle, site):
    folder, edition = bundle
    page = parse(site / edition / "book" / "index.html")
    readme = (folder / "README.md").read_text("utf-8")
    blocks = dict(BLOCK.findall(readme))
    for language, lines in blocks.items():
        (shown,) = page.select(f".highlight-{language} pre")
        assert shown.get_text().strip() == lines
    windows = blocks["powershell"].replace("py -m", "python3 -m")
    assert (
        windows.replace("Scripts\\", "bin/").replace("\\", "/")
        == (blocks["bash"])
    )
    (link,) = page.select(f"a[href$='/{folder.name}.zip']")
    assert "book" in str(link.find_previous("h2").find_next("pre"))


@pytest.mark.skipif(not CI, reason="pip installs: only in CI")
def test_the_zip_runs_as_its_lines_say(site, tmp_path):
    with ZipFile(site / "en" / "linreg-book-en.zip") as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "linreg-book-en"
    blocks = dict(BLOCK.findall((folder / "README.md").read_text("utf-8")))
    make, install, start = blocks["bash"].splitlines()
    ran(make, folder, shell=True)
    python = lend_packages(folder)
    ran(install, folder, shell=True)
    found = ran([python, "-c", "import linreg; print(linreg.__file__)"], "/")
    assert Path(found.strip()) == folder / "linreg" / "__init__.py"
    assert start == ".venv/bin/jupyter-lab book"
    assert "jupyterlab==" in (folder / "requirements.txt").read_text("utf-8")
    ran([python, "-c", RUN, "15-speed.ipynb"], folder / "book")


@pytest.mark.skipif(not CI, reason="pip installs: only in CI")
def test_a_chapter_alone_fetches_its_package(base, site, tmp_path):
    """Of a site whose address is known; with what the chapter reads."""
    path = site / "en" / "_sources" / "book" / "15-speed.ipynb"
    notebook = nbformat.read(path, as_version=4)
    put_first_cell(notebook, f"{base}en/linreg-book-en.zip")
    nbformat.write(notebook, tmp_path / "alone.ipynb")
    ran([sys.executable, "-m", "venv", ".venv"], tmp_path)
    ran([lend_packages(tmp_path), "-c", RUN, "alone.ipynb"], tmp_path)


@pytest.mark.parametrize(
    ("in_the_way", "said"),
    [
        ({}, SAY.splitlines()[-3].strip(' "')),
        ({"linreg.py": ""}, "linreg.py'> is not the book's package"),
        ({"linreg/mine.py": ""}, "is not the book's package"),
        ({"linreg.py": "import d2l"}, "No module named 'd2l'"),
        ({"linreg.py": "raise ImportError('libcudart')"}, "libcudart"),
    ],
)
def test_the_first_cell_says_what_stands_in_the_way(
    tmp_path, in_the_way, said
):
    for name, text in in_the_way.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_raw_cell()])
    put_first_cell(notebook, "")
    source = notebook.cells[1].source
    done = subprocess.run(
        [sys.executable, "-S", "-c", source],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in done.stderr.splitlines()[-1]


def test_what_the_chapters_import_is_asked_for():
    sources = [
        path.read_text("utf-8")
        for path in [*ROOT.glob("linreg/**/*.py"), ROOT / "benchmarks/ways.py"]
    ]
    for path in contents.notebooks():
        cells = nbformat.read(path, as_version=4).cells
        sources += [c.source for c in cells if c.cell_type == "code"]
    names = {*IMPORTED.findall("\n".join(sources))}
    names -= {*sys.stdlib_module_names, "linreg", "benchmarks"}
    names -= {"IPython", "d2l"}  # Jupyter's own; chapter 10 asks for it
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {
        re.match(r"[\w-]+", wish)[0]
        for wish in settings["project"]["dependencies"]
    }
    names = {{"sklearn": "scikit-learn"}.get(name, name) for name in names}
    assert names <= asked  # deptry sees what nothing imports
