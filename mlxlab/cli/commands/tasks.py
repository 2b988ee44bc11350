"""`mlx tasks`: which tasks are installed, what they ask for, and whether they are sound."""

from __future__ import annotations

import argparse

conformance = {"arguments": ("list",)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parser.description = "List tasks, show what they ask for, and check that they are sound."
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = commands.add_parser("list", help="every installed task, without importing it")
    listing.add_argument(
        "--suite", metavar="SPEC", help="the tasks of a suite, and what each lacks to be run"
    )
    show = commands.add_parser("show", help="metric, rows, baseline, reference, description")
    show.add_argument("task", metavar="TASK", help="a task's name or a folder")
    check = commands.add_parser("check", help="prove that tasks are sound and leak no answers")
    check.add_argument("tasks", metavar="TASK", nargs="*", help="names or folders")
    check.add_argument("--all", action="store_true", help="every installed task")
    check.add_argument(
        "--sandbox", metavar="SPEC", default="local", help="where programs run (default: local)"
    )
    importing = commands.add_parser(
        "import", help="what of another benchmark is on this disk, and how to get the rest"
    )
    importing.add_argument(
        "--from", dest="source", metavar="TASK", required=True, help="mlebench, mledojo, ..."
    )
    importing.add_argument("folder", metavar="DIR", help="a clone of the benchmark's repository")
    importing.add_argument(
        "--data", metavar="DIR", help="its prepared data (default: where the benchmark puts it)"
    )
    for command in (listing, show, check, importing):
        command.add_argument("--json", action="store_true", help="print JSON, nothing else")


def run(args: argparse.Namespace) -> int:
    """Carry out the subcommand that was named."""
    if args.action == "list" and args.suite is not None:
        from mlxlab.cli.tasks.suites import list_suite

        return list_suite(args.suite, args.json)
    if args.action == "list":
        from mlxlab.cli.tasks.listing import list_tasks

        return list_tasks(args.json)
    if args.action == "check":
        from mlxlab.cli.tasks.check import check_tasks

        return check_tasks(args.tasks, args.all, args.sandbox, args.json)
    if args.action == "import":
        from mlxlab.cli.tasks.importing import import_tasks

        return import_tasks(args.source, args.folder, args.data, args.json)
    from mlxlab.cli.tasks.show import show_task

    return show_task(args.task, args.json)
