"""Sandboxes that execute wrongly, or tell it wrongly."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput
from tests.testing.mutants.sandbox.joints import (
    Changes,
    Make,
    Mutant,
    allowing,
    asked,
    told,
    wrapping,
)

_ONLY_PYTHONS_OUTPUT = """
import os, sys
sys.stdout, sys.stderr = (os.fdopen(os.dup(n), "w", buffering=1) for n in (1, 2))
os.dup2(os.open("/dev/null", os.O_WRONLY), 1); os.dup2(1, 2)
"""


class Late(Mutant):
    """Hands the output on when all of it is there."""

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        result = await self.real.run(request, limits)
        if on_output is not None:
            on_output("stdout", result.stdout)
            on_output("stderr", result.stderr)
        return result


def one_stream(result: ExecResult) -> Changes:
    """2>&1."""
    return {"stdout": result.stdout + result.stderr, "stderr": ""}


def byte_by_byte(result: ExecResult) -> Changes:
    """Each byte decoded by itself."""
    return {"stdout": result.stdout.encode().decode("ascii", "replace")}


def like_a_shell(result: ExecResult) -> Changes:
    """128 and the signal's number, as if the program had chosen it."""
    if result.outcome != "killed" or result.exit_code is None:
        return {}
    return {"outcome": "exited", "exit_code": 128 - result.exit_code, "detail": ""}


def in_its_folder(request: ExecRequest) -> Changes:
    """A script runs where it lies."""
    folder, name = posixpath.split(request.script or "")
    if not folder:
        return {}
    return {"script": None, "command": ("sh", "-c", f"cd {folder} && exec python {name}")}


def by_runpy(request: ExecRequest) -> Changes:
    """A script is run by a module, which its tracebacks then name."""
    if request.script is None:
        return {}
    code = f"import runpy; runpy.run_path({request.script!r}, run_name='__main__')"
    return {"script": None, "command": ("python", "-c", code)}


def at_the_root(request: ExecRequest) -> Changes:
    """Commands work in the file system's root."""
    if not request.command:
        return {}
    return {"command": ("sh", "-c", 'cd / && exec "$@"', "sh", *request.command)}


def with_input(request: ExecRequest) -> Changes:
    """Somebody answers whatever is asked."""
    if request.script is None:
        return {}
    return {"script": None, "command": ("sh", "-c", f"echo yes | python {request.script}")}


def adding(**variables: str) -> Any:
    """More variables than were asked for."""
    return lambda request: {"env": {**request.env, **variables}}


EXECUTION: dict[str, Make] = {
    "streams_of_a_script_are_kept_apart": told(one_stream),
    "streams_of_a_command_are_kept_apart": told(one_stream),
    "commands_find_the_same_python": asked(adding(PATH="/nowhere")),
    "children_are_heard": wrapping(before=_ONLY_PYTHONS_OUTPUT),
    "output_is_heard_while_it_comes": Late,
    "a_characters_bytes_may_come_apart": told(byte_by_byte),
    "bytes_that_are_no_text_do_not_matter": told(
        lambda result: {"stdout": result.stdout.replace("\ufffd", "")}
    ),
    "much_output_keeps_its_head_and_tail": told(lambda result: {"stdout": result.stdout[:1000]}),
    "a_script_may_lie_in_a_folder": asked(in_its_folder),
    "time_is_taken": told(lambda _: {"duration_s": 0.0}),
}
ENDING: dict[str, Make] = {
    "an_exit_code_is_data": told(lambda _: {"exit_code": 0}),
    "the_text_of_an_exit_is_told": told(lambda _: {"stderr": ""}),
    "a_signal_kills": told(like_a_shell),
    "a_traceback_shows_the_script_alone": asked(by_runpy),
    "a_syntax_error_shows_its_line": asked(by_runpy),
    "what_is_not_there_is_said": told(lambda _: {"stderr": ""}),
    "threads_and_exit_handlers_finish": wrapping(after="import os; os._exit(0)"),
    "open_files_are_written_at_the_end": wrapping(
        before="import atexit, os; atexit.register(os._exit, 0)"
    ),
}
SURROUNDINGS: dict[str, Make] = {
    "a_script_is_main": asked(lambda _: {"args": ()}),
    "the_working_directory_is_the_workspace": asked(at_the_root),
    "stdin_is_empty": asked(with_input),
    "the_environment_of_a_request_is_added": asked(lambda _: {"env": {}}),
    "the_hosts_environment_stays_there": asked(lambda _: {"env": dict(os.environ)}),
    "a_seed_repeats_what_forgot_to_seed": asked(lambda _: {"seed": 1}),
    "the_usual_folders_can_be_written": asked(adding(HOME="/proc")),
    "processes_can_be_started": allowing(processes=1),
}
