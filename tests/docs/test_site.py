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
from mlxlab.cli.parser import Parser
from mlxlab.core.entries import advertised
from mlxlab.core.hooks import HookSpecs
from mlxlab.core.options import options_of
from mlxlab.core.registry import Registry, config_model
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
    page = text(site, "reference/commands")
    for entry in advertised():
        if entry.builtin and entry.kind == "command":
            parser = Parser(prog=f"mlx {entry.name}")
            Registry.installed().load(entry).configure(parser)
            for prog, option in options(parser):
                assert prog in page and option in page, f"{prog} {option}"


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


def test_every_hook_is_there_with_what_it_is_called_with(site: Path) -> None:
    page = text(site, "reference/hooks")
    for name, hook in inspect.getmembers(HookSpecs, inspect.isfunction):
        assert name in page
        for argument in list(inspect.signature(hook).parameters)[1:]:
            assert argument in page.split(name, 1)[1], f"{name}: {argument}"


def test_every_check_is_there_with_its_promise(site: Path) -> None:
    page = " ".join(text(site, "reference/conformance").split())
    suites = [getattr(testing, name) for name in testing.__all__ if name.endswith("Conformance")]
    for suite in suites:
        for check in checks_of(suite):
            assert check.promise, f"{check.id} states no promise"
            assert check.id in page, check.id
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
