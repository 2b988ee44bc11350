"""`mlx`: find the command, run it, and turn every failure into one line and an exit status.

Exit status: 0 done, 1 failed, 2 bad usage or input, 130 interrupted.

Nothing heavy is imported before a command is named: `mlx --help` reads package metadata only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, TextIO

from mlxlab import __version__
from mlxlab.cli.failure import INTERRUPTED, PIPE_CLOSED, report
from mlxlab.cli.leaving import end_soon
from mlxlab.cli.text import plain
from mlxlab.core.entries import Entry, installed, of_kind
from mlxlab.core.errors import MlxError, PluginError, UsageError, broken

HELP = {
    "run": "run an agent on a task; works without options and without a key",
    "runs": "list, show, export and prune recorded runs",
    "compare": "recorded runs beside each other: intervals, tests, failures, cost",
    "train": "train a policy on recorded runs: SFT, then step-wise reinforcement learning",
    "explore": "ask for many ideas, keep diverse ones, and record expert runs that try them",
    "pipeline": "explore, collect, train and evaluate from one file; resumable, with a report",
    "bench": "run a grid of tasks, scaffolds, policies and seeds; resumable, one budget",
    "tasks": "list, show and check tasks",
    "policies": "list models and presets with keys and prices; try one with a real call",
    "sandboxes": "list what sandboxes made, and remove what crashes left",
    "plugins": "list, describe, check and begin plugins",
    "doctor": "what this machine can isolate, what answers, what to install",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mlx` with the process's arguments, or those given; returns the exit status."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    status = _status(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        end_soon(status)
    return status


def _status(argv: list[str]) -> int:
    try:
        status = _dispatch(argv)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as error:
        within = getattr(error, "__notes__", [])[:1]
        print("Interrupted", *(f"in {plain(name)}" for name in within), end=".\n", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except BaseException as error:
        return report(error)


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(_help(of_kind(installed(), "command")))
        return 0
    if argv[0] in {"-V", "--version"}:
        print(f"mlx {__version__}")
        return 0
    if argv[0].startswith("-"):
        raise UsageError(f"mlx has no option '{argv[0]}'.", "Options follow a command: mlx run.")
    return _command(argv[0], argv[1:])


def _command(name: str, argv: list[str]) -> int:
    from mlxlab.cli.stdout import kept_clean
    from mlxlab.core.registry import Registry
    from mlxlab.core.spec import Spec
    from mlxlab.core.watch import set_last_resort, watching

    registry = Registry.installed()
    entry = registry.find("command", Spec.parse(name))
    clean = kept_clean if entry.builtin and "--json" in argv else nullcontext
    with watching(), clean():
        set_last_resort(_end)
        command = registry.load(entry)
        if not all(callable(getattr(command, name, None)) for name in ("configure", "run")):
            from mlxlab.core.lacking import lacking

            missing, hint = lacking(command, entry.target)
            who = _whose(entry)
            raise PluginError(f"{who} has no {missing}.", hint, owner=who)
        return _run(entry, command, argv)


def _run(entry: Entry, command: Any, argv: list[str]) -> int:
    from mlxlab.cli.parser import Parser
    from mlxlab.core.boundary import Boundary, cause_of

    about = HELP.get(entry.name) if entry.builtin else None
    parser = Parser(prog=f"mlx {entry.name}", description=about)
    try:
        with Boundary(_whose(entry), "configure"):
            command.configure(parser)
        status = command.run(parser.parse_args(argv))
    except SystemExit as error:
        if isinstance(error.code, str):
            raise PluginError(f"{_whose(entry)} ended: {error.code}") from error
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        if entry.builtin or isinstance(error, MlxError | KeyboardInterrupt | BrokenPipeError):
            raise
        raise PluginError(f"{_whose(entry)} failed: {cause_of(error)}.") from error
    if isinstance(status, bool) or not isinstance(status, int):
        kind = type(status).__name__
        if close := getattr(status, "close", None) if kind == "coroutine" else None:
            close()
        raise broken(_whose(entry), "run", f"returned {kind}, no exit status (0 for done)")
    return status


def _end(line: str) -> None:
    """End the process where a plugin's code neither ends nor can be broken off."""
    status = report(PluginError(f"{line}."))
    sys.stderr.flush()
    os._exit(status)


def _whose(entry: Entry) -> str:
    return f"command '{entry.name}' of {entry.distribution} {entry.version}"


def _help(commands: list[Entry]) -> str:
    named: dict[str, str] = {}
    for entry in commands:
        brought = f"from {entry.distribution} {entry.version}"
        line = HELP.get(entry.name, "") if entry.builtin else brought
        if entry.name in named:
            named[f"{entry.distribution}::{entry.name}"] = brought
        else:
            named[entry.name] = line
    order = sorted(named, key=lambda n: (list(HELP).index(n) if n in HELP else len(HELP), n))
    width = max((len(name) for name in order), default=0)
    listed = "\n".join(f"  {name:<{width}}  {named[name]}".rstrip() for name in order)
    return _USAGE.format(version=__version__, commands=plain(listed, lines=True))


def _open_what_is_closed() -> None:
    """Give closed standard streams to nobody, before a record file gets such a number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _never_fail_to_encode(stream: TextIO) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


_USAGE = """\
mlxlab {version}: agents that do machine-learning engineering

Usage: mlx COMMAND [OPTIONS]

Commands:
{commands}

  mlx COMMAND --help    the options of a command
  mlx --version         the version

Start with: mlx run
MLX_DEBUG=1 shows tracebacks; MLX_DISABLE_PLUGINS=a,b switches plugins off."""
