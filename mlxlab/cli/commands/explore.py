"""`mlx explore`: many ideas for each task, the most diverse of them, and expert runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from mlxlab.cli.parser import positive, seconds

_EPILOG = """\
Ideas go to OUT/ideas.json, every call to OUT/ideas.jsonl; --collect N records N
runs of each task, each with 1 to 3 of the ideas in the task's text, below
OUT/expert. The same command again asks and runs only what is missing."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = "Ask for many ideas, keep diverse ones, and record expert runs."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _ideas(parser.add_argument_group("ideas"))
    _runs(parser.add_argument_group("expert runs"))
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the folder (default: explored/SCAFFOLD)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of every choice")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(args: argparse.Namespace) -> int:
    """Explore, collect if asked to, and print what came of it."""
    from mlxlab.cli.exploring.drive import Request, start
    from mlxlab.cli.signals import terminable

    given = {name: getattr(args, name) for name in Request.__dataclass_fields__}
    given["tasks"] = tuple(args.tasks or ("flights",))
    given["rewards"] = tuple(args.rewards or ("ml-agent",))
    given["out"] = args.out or Path("explored") / "".join(
        sign if sign.isalnum() or sign == "-" else "_" for sign in args.scaffold
    )
    with terminable():
        return start(Request(**given))


def _ideas(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--task",
        dest="tasks",
        action="append",
        metavar="T",
        help="what to have ideas for; may be repeated (default: flights)",
    )
    add("--policy", default="climb", metavar="P", help="who is asked (default: climb, no model)")
    add(
        "--scaffold",
        default="recipe",
        metavar="S",
        help="how the ideas are to be tried (default: recipe)",
    )
    add(
        "--version",
        type=int,
        choices=(1, 2),
        default=1,
        help="1: the ideas farthest from all others; 2: farthest points on three axes (default: 1)",
    )
    add("--candidates", type=positive, default=100, metavar="N", help="ideas wanted of each task")
    add("--keep", type=positive, default=10, metavar="N", help="kept of each task, version 1")
    add("--per-axis", type=positive, default=5, metavar="N", help="kept of each axis, version 2")
    add(
        "--embedder",
        metavar="E",
        help="tfidf, or the folder of a sentence-transformers model (default: tfidf)",
    )


def _runs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--collect", type=positive, metavar="N", help="runs of each task (default: none)")
    add("--plain", action="store_true", help="without ideas, to compare with: nobody is asked")
    add("--expert", metavar="P", help="who works (default: the policy that was asked)")
    add("--sandbox", default="local", metavar="B", help="where the code runs (default: local)")
    add(
        "--reward",
        dest="rewards",
        action="append",
        metavar="R",
        help="what judges each step; may be repeated (default: ml-agent)",
    )
    add("--steps", type=positive, default=5, metavar="N", help="of each run (default: 5)")
    add("--workers", type=positive, metavar="K", help="runs at one time (default: all processors)")
    add(
        "--exec-timeout",
        dest="exec_timeout_s",
        type=seconds,
        metavar="D",
        help="duration of one execution (default: the task's own)",
    )
