"""The site builds without a warning, and its reference leaves nothing out."""

import argparse
import ast
import html
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

from mlxlab import testing
from mlxlab.api.bench.grid import Grid
from mlxlab.api.pipeline import PipelineSpec
from mlxlab.api.pipeline.spec import CollectTable, ExploreTable, RLTable
from mlxlab.cli.parser import Parser
from mlxlab.core.entries import advertised
from mlxlab.core.hooks import HookSpecs
from mlxlab.core.options import options_of
from mlxlab.core.registry import Registry, config_model
from mlxlab.plugins.tasks.task_file import TaskFile
from mlxlab.testing.kit import checks_of

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "mlxlab" / "cli" / "plugins" / "new" / "templates"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the extra dev is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # of the theme, about its next version
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def text(site: Path, page: str) -> str:
    """A page as it is read."""
    source = (site / page / "index.html").read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<[^>]*>", "", source))


def sections(site: Path, page: str) -> dict[str, str]:
    """What stands below each heading of a page, up to the next one, as it is read."""
    source = (site / page / "index.html").read_text(encoding="utf-8")
    parts = re.split(r"<h[1-6][^>]*>(.*?)</h[1-6]>", source, flags=re.DOTALL)[1:]
    plain = [" ".join(html.unescape(re.sub(r"<[^>]*>", "", part)).split()) for part in parts]
    return {title.rstrip("¶ "): told for title, told in zip(plain[::2], plain[1::2], strict=True)}


def test_every_page_is_in_the_navigation(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("")
        where = "" if str(name) == "index" else f"{name}/"
        assert f'href="{where}"' in front or not where, f"{page} is in no menu"


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        source = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(https?:[^"]+)"', source)
        assert not loaded, f"{page} loads {loaded}"


def test_every_option_of_every_command_is_there(site: Path) -> None:
    page = sections(site, "reference/commands")
    for entry in advertised():
        if entry.builtin and entry.kind == "command":
            parser = Parser(prog=f"mlx {entry.name}")
            Registry.installed().load(entry).configure(parser)
            for prog, option in options(parser):
                assert re.search(rf"{option}\b", page[prog]), f"{prog} {option}"


def options(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    found = []
    for action in parser._actions:
        found += [(parser.prog, word) for word in action.option_strings]
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found += options(below)
    return found


def test_every_component_and_its_options_are_there(site: Path) -> None:
    source = (site / "reference/components/index.html").read_text(encoding="utf-8")
    for entry in advertised():
        if not entry.builtin or entry.kind == "command":
            continue
        begin = source.find(f'id="{entry.kind}-{entry.name}"')
        assert begin > 0, f"{entry.kind} {entry.name}"
        section = re.split(r"<h[23]", source[begin:], maxsplit=1)[0]
        loaded = Registry.installed().load(entry)
        for option in options_of(config_model(loaded) if callable(loaded) else None):
            assert f"<code>{option.name}</code>" in section, f"{entry.name}: {option.name}"


def test_every_key_of_a_file_is_there_with_its_meaning(site: Path) -> None:
    page = sections(site, "reference/files")
    for title, model in {"Pipeline": PipelineSpec, "Grid": Grid, "Task": TaskFile}.items():
        for option in options_of(model):
            told = " ".join(option.description.replace("`", "").split())
            assert f"{option.name} " in page[title] and told in page[title], option.name
    below = {"[explore]": ExploreTable, "[[collect]]": CollectTable, "[[rl]]": RLTable}
    for table, model in below.items():
        for option in options_of(model):
            assert f"{option.name} " in page[f"{table} of a pipeline"], f"{table} {option.name}"


def test_every_variable_of_the_environment_is_on_a_page() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "mlxlab").rglob("*.py"))
    read = {name for source in sources for name in re.findall(r'"(MLX(?:LAB)?_[A-Z_]+)"', source)}
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert len(read) > 3
    assert not {name for name in read if f"`{name}" not in pages}


def test_every_hook_is_there_with_what_it_is_called_with(site: Path) -> None:
    page = sections(site, "reference/hooks")
    for name, hook in inspect.getmembers(HookSpecs, inspect.isfunction):
        signature = page[name].split("->")[0]
        for argument in list(inspect.signature(hook).parameters)[1:]:
            assert re.search(rf"\b{argument}:", signature), f"{name}: {argument}"
        assert " ".join((inspect.getdoc(hook) or "").split())[:40] in page[name], name


def test_every_check_is_there_with_its_promise(site: Path) -> None:
    page = sections(site, "reference/conformance")
    suites = [getattr(testing, name) for name in testing.__all__ if name.endswith("Conformance")]
    for suite in suites:
        for check in checks_of(suite):
            assert check.promise, f"{check.id} states no promise"
            told = " ".join(check.promise.replace("`", "").split())
            assert f"{check.id} {told}" in page[suite.__name__], check.id
    assert sum(len(checks_of(suite)) for suite in suites) > 200


def test_whatever_authors_import_is_on_a_reference_page(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (site / "reference").rglob("*.html")]
    anchors = {found for page in pages for found in re.findall(r'id="(mlxlab\.[\w.]+)"', page)}
    sources = [*TEMPLATES.rglob("*.py.in"), *(ROOT / "examples").rglob("*.py")]
    names = {name for source in sources for name in imported(source)}
    assert len(names) > 80
    assert not sorted(name for name in names if not {name, defined(name)} & anchors)


def imported(source: Path) -> Iterator[str]:
    """The names of mlxlab's that an example or a template imports, each after its module."""
    code = re.sub(r"@(\w+)@", r"\1", source.read_text(encoding="utf-8"))
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mlxlab":
            yield from (f"{node.module}.{each.name}" for each in node.names)


def defined(name: str) -> str:
    """The same class or function under the module that defines it."""
    found = resolve_name(name)
    plain = inspect.isclass(found) or inspect.isfunction(found)
    return f"{found.__module__}.{found.__qualname__}" if plain else name
