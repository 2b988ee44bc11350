"""What `mlx --help` and `mlx plugins list` cost with more and more plugins installed.

    python benchmarks/help.py [--plugins 0 30 100] [--repeats 15]

Each plugin is a distribution's metadata with five components, a command, a hook module and an API
version, in a folder on the import path; none of their modules exists, so an import would fail.
Figures are the fastest and the median of the repeats, and the least processor time of one, in
milliseconds, beside the same for an interpreter that does nothing.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

KINDS = ("task", "scaffold", "policy", "reward", "command")
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "mlx --help": ("-m", "mlxlab", "--help"),
    "mlx plugins list": ("-m", "mlxlab", "plugins", "list"),
}


def main() -> None:
    """Measure and print a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plugins", type=int, nargs="+", default=[0, 30, 100])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    print("| plugins | command | fastest | median | CPU |\n|---|---|---|---|---|")
    for plugins in options.plugins:
        with tempfile.TemporaryDirectory() as folder:
            for number in range(plugins):
                _install(Path(folder), f"acme-{number}")
            for name, words in COMMANDS.items():
                took, cpu = zip(*_measured(Path(folder), words, options.repeats), strict=True)
                figures = (min(took), median(took), min(cpu))
                told = " | ".join(f"{figure:.0f}" for figure in figures)
                print(f"| {plugins} | {name} | {told} |", flush=True)


def _install(site: Path, name: str) -> None:
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    components = "\n".join(
        f"{kind}.{name} = absent_{number}:It" for number, kind in enumerate(KINDS)
    )
    (info / "entry_points.txt").write_text(
        f"[mlxlab.components]\n{components}\n[mlxlab]\n{name} = absent\n[mlxlab.api]\n1 = absent\n"
    )


def _measured(site: Path, words: tuple[str, ...], repeats: int) -> Iterator[tuple[float, float]]:
    """Wall and processor time of each repeat, in milliseconds."""
    for _ in range(repeats):
        before, began = _cpu_s(), time.perf_counter()
        subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "PYTHONPATH": str(site)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        yield 1000 * (time.perf_counter() - began), 1000 * (_cpu_s() - before)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
