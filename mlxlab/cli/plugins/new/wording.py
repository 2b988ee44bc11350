"""What each kind's package says of itself, and how it is used."""

from __future__ import annotations

from typing import NamedTuple

from mlxlab.cli.plugins.new.naming import Names


class _Kind(NamedTuple):
    """The words of one kind, with the placeholders of `Names`.

    Args:
        summary: the package in a line, without a full stop.
        about: what it does, for the README.
        use: the command that uses it.
        option: what a user can say.
        change: where to begin with one's own.
        entries: the lines of its entry points.
        prepare: what a machine of GitHub needs before the tests, as a command.
        look: a further command that looks at it.
        untyped: packages that bring no types, and are likely to be imported.
    """

    summary: str
    about: str
    use: str
    option: str
    change: str
    entries: tuple[str, ...]
    prepare: str = ""
    look: str = ""
    untyped: tuple[str, ...] = ()


_FIELDS = (
    "An option is a field of the config class, with a default and a description:\n"
    "`mlx plugins show {name}` prints them, and every run records what was chosen."
)
_ARGUMENTS = "Give each option a help text: `mlx {name} --help` prints them."
_KINDS = {
    "scaffold": _Kind(
        summary="A greedy scaffold for mlxlab: it improves the best program so far",
        about="A scaffold decides what an agent is asked and which of its programs is changed "
        "next.\nThis one has a few programs written from nothing and then improves the best one, "
        "step after step.",
        use="mlx run --scaffold {name} --steps 4",
        option="`--scaffold '{name}?drafts=3'` has three programs written first.",
        change="`propose` in `src/{module}/scaffold.py` chooses the node to grow, `prompt` says "
        "what is asked,\n`parse` and `render` are the two directions between text and action. "
        "All of them read\nnothing but their arguments: that is what lets a run be resumed and "
        "replayed.",
        entries=('"scaffold.{name}" = "{module}.scaffold:{stem}Scaffold"',),
    ),
    "policy": _Kind(
        summary="A policy for mlxlab without a model: it answers with a baseline program",
        about="A policy answers a scaffold's requests, usually with a model. This one writes a "
        "program that\npredicts the median of each column, or its most frequent label: the floor "
        "that every other\npolicy should beat. It is free and always says the same.",
        use="mlx run --policy {name} --steps 2",
        option="`--policy '{name}?center=mean'` predicts the mean instead of the median.",
        change="`act` in `src/{module}/policy.py` gets the messages, the decision and the task, "
        "and returns a\n`Completion`: with `text` from a model, or with an `action` as here. "
        "Raise `PolicyError` with\n`retryable=True` for what may pass; mlxlab waits and asks "
        "again.",
        entries=('"policy.{name}" = "{module}.policy:{stem}Policy"',),
    ),
    "sandbox": _Kind(
        summary="A sandbox for mlxlab without isolation: programs are processes in a folder",
        about="A sandbox runs the agent's programs and records the state that they leave. This "
        "one starts\nthem as processes of your user, in a folder, with limits on time, memory, "
        "files and output.\n**It isolates nothing**: a program can read your files and reach the "
        "network. mlxlab records\nthat with every run. Use it for code that you would run "
        "yourself.",
        use="mlx run --sandbox {name} --steps 2",
        option="`--sandbox '{name}?python=/opt/other/bin/python'` runs programs with another "
        "interpreter.",
        change="`src/{module}/running.py` starts a program and ends all that it started: replace "
        "it to run\nelsewhere. `src/{module}/workspace.py` holds the files. What the sandbox does "
        "not keep is\ndeclared in `known_gaps`, by the id of the check; a gap that is closed "
        "fails until it is\ntaken out. Change `isolation` only with what you can prove.",
        entries=('"sandbox.{name}" = "{module}.sandbox:{stem}Sandbox"',),
    ),
    "reward": _Kind(
        summary="A reward for mlxlab: the gain in the public score, within bounds",
        about="A reward judges each step with a number and a reason. This one is the gain in the "
        "public score,\nin shares of the way from the task's first score to its best known one, "
        "cut off at a limit.",
        use="mlx run --reward {name} --steps 3",
        option="`--reward {name}:0.5` sets the limit; `mlx train --reward {name}` trains for it.",
        change="`judge` in `src/{module}/reward.py` gets the step and the task. It is a pure "
        "function: the\nsame step has the same value, always within `range`, or None with the "
        "reason. No private\nscore reaches it.",
        entries=('"reward.{name}" = "{module}.reward:{stem}Reward"',),
    ),
    "task": _Kind(
        summary="A task for mlxlab: a small regression over a table that is made",
        about="A task has public files, a submission to hand in, and a grader that alone knows "
        "the answers.\nThis one draws a table of 500 fields; what they yield is to be predicted.",
        use="mlx run --task {name}",
        option="`--task {name}:7` is the task of another seed. `mlx tasks check {name}` looks for "
        "leaks.",
        change="`Fields` in `src/{module}/task.py` makes the table: read your own data there. "
        "`prepare` writes\nwhat the agent may see, `src/{module}/grader.py` scores what it hands "
        "in. Half of the test rows\ngive the public score, which the agent is told; the other "
        "half the private one, which only\npeople see. Name in `hidden` every package that holds "
        "answers. What `prepare` wrote is kept\nfor this version and `data_hash`, and `mlx run` "
        "takes it from there: a mended `prepare` needs\nanother of them. The checks call it anew.",
        entries=('"task.{name}" = "{module}.task:{stem}Task"',),
        # Programs run in the sandbox `local`, which Ubuntu 24.04 forbids as it is installed.
        prepare="sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        look="mlx tasks check {name}",
        untyped=("pandas", "sklearn"),
    ),
    "trainer": _Kind(
        summary="A trainer for mlxlab without a model: it keeps the best recorded answers",
        about="A trainer makes a policy of recorded steps. This one keeps the answers with the "
        "best public scores,\nfor each task and scaffold, and returns a policy that gives them "
        "again. It learns nothing that\ncarries over to another task: it is what a trainer has "
        "to beat.",
        use="mlx run --policy random --scaffold recipe --steps 4\n"
        "$ mlx train --trainer {name} --out trained/best\n"
        "$ mlx run --policy {name}:trained/best/final --scaffold recipe --steps 2",
        option="`--trainer '{name}?keep=5'` keeps five answers of each task.",
        change="`train` in `src/{module}/trainer.py` gets the recorded steps (`job.corpus`), a "
        "model to begin\nwith (`job.base`), a folder and a seed, tells of each step with "
        "`job.tell`, and returns the spec\nof the policy that it made. Set `needs_arena` to take "
        "new actions from recorded states\n(`job.arena`). A trainer of models returns "
        "`local:FOLDER`; this one brings its own policy.",
        entries=(
            '"trainer.{name}" = "{module}.trainer:{stem}Trainer"',
            '"policy.{name}" = "{module}.policy:{stem}Policy"',
        ),
    ),
    "command": _Kind(
        summary="A command for mlxlab: recorded runs, summarized by task and policy",
        about="A command is a subcommand of `mlx`. This one prints a line for each task and "
        "policy: how many runs\nand steps there are, how many ended well, and the best public "
        "score.",
        use="mlx run --steps 2\n$ mlx {name}",
        option="`mlx {name} FOLDER` reads another folder of runs, `--json` prints JSON.",
        change="`configure` in `src/{module}/command.py` declares options, `run` carries the "
        "command out and\nreturns the exit status. Raise `UsageError(what, hint)` for what a user "
        "can mend: it is printed\nas one line.",
        entries=('"command.{name}" = "{module}.command"',),
    ),
}


def words(names: Names) -> dict[str, str]:
    """The kind's placeholders, filled in with the plugin's names."""
    kind, given = _KINDS[names.kind], names.placeholders
    return {
        "summary": kind.summary,
        "about": kind.about.format(**given),
        "use": "$ " + kind.use.format(**given),
        "option": kind.option.format(**given),
        "change": kind.change.format(**given),
        "options": (_ARGUMENTS if names.kind == "command" else _FIELDS).format(**given),
        "entries": "\n".join(line.format(**given) for line in kind.entries),
        "prepare": _steps(kind.prepare),
        "look": _steps(kind.look.format(**given)),
        "untyped": _untyped(kind.untyped),
        "looks": f"\n$ {kind.look.format(**given)}" if kind.look else "",
    }


def _steps(command: str) -> str:
    """A command as a line of a workflow, where there is one."""
    return f"      - run: {command}\n" if command else ""


def _untyped(packages: tuple[str, ...]) -> str:
    """Settings of mypy for packages without types; it is no fault that none is imported yet."""
    if not packages:
        return ""
    modules = ", ".join(f'"{name}.*"' for name in packages)
    return (
        "warn_unused_configs = false\n\n"
        f"[[tool.mypy.overrides]]\nmodule = [{modules}]\nignore_missing_imports = true\n"
    )


def usage(names: Names) -> list[str]:
    """The commands that use a new plugin."""
    return _KINDS[names.kind].use.format(**names.placeholders).split("\n$ ")
