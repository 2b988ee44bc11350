"""Every command and every Python block of the docs is executed, in the order of its page."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from sysconfig import get_path

import pytest

from mlxlab.api.bench.grid import read_grid
from mlxlab.api.configuring.reading import read_config
from mlxlab.api.configuring.spec import RunConfig
from mlxlab.core.manifest import RunManifest
from mlxlab.core.records import Call, Completion, Decision, Record, Step
from mlxlab.plugins.suites.ml_agent import TRAIN
from mlxlab.plugins.suites.stated import stated
from mlxlab.plugins.tasks.task_file import TaskFile

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GENERATED = {"commands.md", "files.md", "components.md", "hooks.md", "conformance.md"}
BLOCK = re.compile(
    r"(<!-- ((?:not run|fails on purpose): .+?) -->\n)?```(console|python)\n(.*?)```", re.DOTALL
)


def examples(page: Path) -> list[tuple[str, str, bool]]:
    """The blocks of a page that are to be executed: language, text, whether they are to fail."""
    found = []
    for _, remark, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if not remark.startswith("not run:"):
            found.append((language, text, remark.startswith("fails on purpose:")))
    return found


def commands(text: str) -> list[str]:
    return [line[2:] for line in text.replace("\\\n", " ").splitlines() if line.startswith("$ ")]


class Reader:
    """Who follows a page in a folder; what it has installed goes into an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._venv: Path | None = None

    def python(self, source: str) -> None:
        self._execute([self._interpreter, "-W", "error", "-"], source=source)

    def console(self, command: str, fails: bool) -> None:
        argv = shlex.split(command)
        if argv[0] == "mlx" and ">" in argv:
            mlx = shlex.join([self._interpreter, "-m", "mlxlab"])
            self._execute(["bash", "-c", mlx + command.removeprefix("mlx")], fails)
        elif argv[0] in {"mlx", "pytest"}:
            module = "mlxlab" if argv[0] == "mlx" else "pytest"
            self._execute([self._interpreter, "-m", module, *argv[1:]], fails)
        elif argv[0] == "pip":
            offline = ["--no-deps", "--no-build-isolation", "--no-index", "-q"]
            pip = [sys.executable, "-m", "pip", "--python", self._own(), argv[1], *offline]
            self._execute([*pip, *argv[2:]], fails)
        else:
            self._execute(["bash", "-c", command], fails)

    @property
    def _interpreter(self) -> str:
        return sys.executable if self._venv is None else str(self._venv / "bin" / "python")

    def _own(self) -> str:
        """The interpreter of an environment that sees what is installed here."""
        if self._venv is None:
            made = self.folder / ".venv"
            venv.create(made, symlinks=True)
            (site,) = (made / "lib").glob("python*/site-packages")
            (site / "here.pth").write_text(f"import site; site.addsitedir({get_path('purelib')!r})")
            self._venv = made
        return self._interpreter

    def _execute(self, argv: list[str], fails: bool = False, source: str | None = None) -> None:
        done = subprocess.run(
            argv, cwd=self.folder, input=source, capture_output=True, text=True, check=False
        )
        said = f"{shlex.join(argv)}\n{done.stdout}\n{done.stderr}"
        assert (done.returncode != 0) == fails and "Traceback" not in done.stderr, said


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for language, text, fails in examples(page):
        if language == "python":
            reader.python(text)
            continue
        for command in commands(text):
            reader.console(command, fails)


def test_every_block_is_of_a_kind_that_is_looked_at() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            assert language in {"console", "python", "toml", "json", "text"}, f"{page}: {block}"
            if language == "toml":
                tomllib.loads(block)
            if language == "json":
                json.loads(block)
            if language == "console":
                assert commands(block), f"{page}: a console block without a command"


def test_no_block_hides_behind_an_indent() -> None:
    """What is indented would be shown as code, and looked at by no test."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        found = re.findall(r"\n\n {4}(?!options:).+", text)
        assert not found, f"{page}: {found}"


def tables(name: str) -> list[str]:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def test_files_in_the_docs_are_what_their_readers_take(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    runs = [table for table in tables("configuration.md") if not table.startswith("#:schema")]
    for table in runs:
        file.write_text(table)
        read_config(file, RunConfig)
    (grid,) = tables("benchmarks.md")
    file.write_text(grid)
    assert len(read_grid(file).arms) == 1
    options, task = tables("tasks.md")
    file.write_text(options)
    assert set(stated(str(file), TRAIN, "ml-agent-train")) == {"spaceship-titanic", "cifar-10"}
    TaskFile.model_validate(tomllib.loads(task))
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("run.json", RunManifest),
        ("steps.jsonl", Step),
        ("The decision", Decision),
        ("The completion", Completion),
        ("calls.jsonl", Call),
    ],
)
def test_the_record_page_names_every_field(heading: str, model: type[Record]) -> None:
    page = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    fields = [field.alias or name for name, field in model.model_fields.items()]
    assert documented == fields


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            written_by_code = (page.parent / target).name in GENERATED  # test_site builds them
            if not target.startswith("http") and not written_by_code:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
