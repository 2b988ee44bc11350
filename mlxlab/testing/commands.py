"""What every command of `mlx` must do, as tests that anybody's command can be put to."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from mlxlab.core.boundary import cause_of
from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.lacking import lacking
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.components.apart import Loading, load_apart
from mlxlab.testing.found import output
from mlxlab.testing.kit import Conformance

LIMIT_S = 100.0
UNKNOWN = "--no-such-option"
RUNNING = ("run_returns_a_status", "json_is_all_of_stdout")
"""The checks that run the command, by the words of `arguments`."""


def _refused(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


class CommandConformance(Conformance):
    """The whole suite: subclass it and say which installed command is meant.

    Nothing is run unless `arguments` says with which words: a command may do anything.
    """

    prefix = "command"
    basics = ("has_configure_and_run",)

    name: ClassVar[str] = ""
    """What stands after `mlx`."""
    arguments: ClassVar[tuple[str, ...] | None] = None
    """Words with which it does something harmless, in seconds, in an empty folder; None: none."""
    declarable = ("arguments",)
    loadings: ClassVar[dict[EntryPoint, Loading]] = {}
    environment: ClassVar[Mapping[str, str] | None] = None
    """Of the process that loads it alone; None: this one's."""

    @classmethod
    def entry(cls) -> Entry:
        """The entry that is checked."""
        return Registry.installed().find("command", Spec.parse(cls.name))

    @classmethod
    def make(cls) -> Any:
        """The module or object with configure(parser) and run(args)."""
        return cls.entry().entry_point.load()

    def test_has_configure_and_run(self) -> None:
        """It has configure(parser) and run(args), neither of them async."""
        command = self.make()
        missing, hint = lacking(command, self.entry().target)
        assert not missing, f"it has no {missing}. {hint}".rstrip(". ")
        for name in ("configure", "run"):
            function = getattr(command, name)
            assert not inspect.iscoroutinefunction(function), f"{name} is async; mlx does not wait"
            try:
                inspect.signature(function).bind(object())
            except TypeError as error:
                raise AssertionError(f"{name} has to take one argument: {error}") from error

    def test_loads_quietly(self) -> None:
        """Loading it prints nothing and imports nothing heavy: `mlx NAME --help` is quick."""
        point = self.entry().entry_point
        if point not in self.loadings:
            self.loadings[point] = load_apart([point], self.environment)[0]
        seen = self.loadings[point]
        assert not seen.cause, f"it does not load: {seen.cause}"
        assert not seen.printed, f"it prints while it is loaded: {seen.printed!r}"
        assert not seen.heavy, f"it imports {', '.join(seen.heavy)}: import them in run"

    def test_configure_only_declares(self) -> None:
        """configure(parser) prints nothing and returns nothing."""
        with output() as printed:
            parser = Parser(prog=self._prog())
            parser.declaring = True
            found = self.make().configure(parser)
        assert found is None, f"configure returned {found!r}"
        assert not any(printed), f"configure prints: {''.join(printed)[:200]!r}"

    def test_help_says_what_it_does(self) -> None:
        """--help names every option with what it does, and ends with status 0."""
        parser = self._parser()
        if not self.entry().builtin:  # those have their line from mlx itself
            assert (parser.description or "").strip(), "configure sets no parser.description"
        bare = sorted({words for each in parsers(parser) for words in undescribed(each)})
        assert not bare, f"without a help text: {', '.join(bare)}"
        wrong = [words for each in parsers(parser) for words in unformatted(each)]
        assert not wrong, "; ".join(wrong)
        done = None
        with output() as printed:
            try:
                parser.parse_args(["--help"])
            except SystemExit as error:
                done = error.code
        assert done in (0, None) and self._prog() in printed[0], f"--help ended with {done!r}"

    def test_wrong_option_is_refused(self) -> None:
        """An option that it does not have is the user's error, not swallowed."""
        words = [*(self.arguments or ()), UNKNOWN]
        for given in (words, [UNKNOWN]):
            try:
                found = self._parser().parse_args(given)
            except UsageError:
                continue
            except SystemExit as error:
                raise AssertionError(f"it ended the process with {error.code!r} itself") from error
            raise AssertionError(f"'{' '.join(given)}' is taken as {found}")

    def test_run_returns_a_status(self) -> None:
        """`run` returns an exit status, an int, and what it says needs no traceback."""
        if self.arguments is None:
            return
        status, _, err = self.ran(*self.arguments)
        assert isinstance(status, int), f"run returned {status}, which is no exit status"
        assert "Traceback" not in err, f"a traceback: {err[-300:]}"

    def test_json_is_all_of_stdout(self) -> None:
        """Where it has --json, stdout is one JSON value and nothing else."""
        if self.arguments is None or not self._has_json():
            return
        _, out, _ = self.ran(*self._with_json())
        try:
            json.loads(out, parse_constant=_refused)
        except ValueError as error:
            raise AssertionError(f"with --json it prints {out[:200]!r}: {error}") from error

    @classmethod
    def ran(cls, *words: str) -> tuple[Any, str, str]:
        """What `run` returns for some words, with stdout and stderr, from a process of its own."""
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "returned"
            work = Path(folder) / "work"
            work.mkdir()
            done = subprocess.run(
                [sys.executable, "-P", "-c", _RUN, str(told), cls.name, *words],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd=work,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=LIMIT_S,
            )
            why = _last(done.stderr) or f"the process ended with status {done.returncode}"
            given = f"run with '{' '.join(words)}'" if words else "run"
            assert told.is_file(), f"{given} fails: {why}"
            return json.loads(told.read_text()), done.stdout, done.stderr

    @classmethod
    def _prog(cls) -> str:
        """How it is written after a prompt: without the distribution that it may be named with."""
        return f"mlx {Spec.parse(cls.name).name}"

    @classmethod
    def _parser(cls) -> argparse.ArgumentParser:
        parser = Parser(prog=cls._prog())
        parser.declaring = True
        cls.make().configure(parser)
        parser.declaring = False
        return parser

    @classmethod
    def _with_json(cls) -> list[str]:
        """The words of `arguments` with --json, once."""
        words = list(cls.arguments or ())
        return words if "--json" in words else [*words, "--json"]

    @classmethod
    def _has_json(cls) -> bool:
        try:
            cls._parser().parse_args(cls._with_json())
        except UsageError:
            return False
        return True


class Parser(argparse.ArgumentParser):
    """As the parser that `mlx` hands out: what is wrong is a UsageError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    declaring = False
    """Whether `configure` is at it, which has nothing to parse."""

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; raises AssertionError while options are declared."""
        assert not self.declaring, "configure parses: it declares only, and run is given the result"
        return super().parse_known_args(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UsageError(f"{self.prog}: {message}.")


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its subcommands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


def undescribed(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options, arguments and subcommands of a parser that help says nothing of."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            said = {each.dest for each in action._choices_actions if each.help}
            yield from (f"{parser.prog} {name}" for name in action.choices if name not in said)
        elif not (action.help or "").strip():
            yield f"{parser.prog} {'/'.join(action.option_strings) or action.dest}"


def unformatted(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options, arguments and subcommands whose help text argparse cannot write, and why."""
    formatter = parser._get_formatter()
    for action in parser._actions:
        choices = action._choices_actions if isinstance(action, argparse._SubParsersAction) else []
        for each in (action, *choices):
            try:
                if each.help:
                    formatter._expand_help(each)
            except (TypeError, ValueError, KeyError) as error:
                option = "/".join(each.option_strings) or each.dest
                why = f"its help text cannot be formatted ({cause_of(error)})"
                yield f"{option}: {why}: % is written %% there"


def _last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


_RUN = """\
import json, pathlib, sys
from mlxlab.core.boundary import cause_of
from mlxlab.core.errors import MlxError
from mlxlab.core.places import package_of, place_in
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.commands import Parser
told, name, *words = sys.argv[1:]
registry = Registry.installed()
entry = registry.find("command", Spec.parse(name))
command = registry.load(entry)
parser = Parser(prog=f"mlx {entry.name}")
try:
    command.configure(parser)
    args = parser.parse_args(words)
    try:
        found = command.run(args)
    except SystemExit as left:
        raise MlxError(f"run called sys.exit({left.code!r}): return a status") from left
except Exception as error:
    own = package_of(entry.entry_point.module)
    place = place_in(error, own) if own else ""
    why = str(error) if isinstance(error, MlxError) else cause_of(error)
    sys.exit(f"{' '.join(why.split())}{place and f' (at {place})'}")
status = isinstance(found, int) and not isinstance(found, bool)
pathlib.Path(told).write_text(json.dumps(found if status else repr(found)))
"""
