"""Tables where stdout is no terminal."""

from __future__ import annotations

import pytest

from mlxlab.cli.table import Column, print_table

COLUMNS = [Column("takes"), Column("basis")]
LONG = "a sentence about what it comes from " * 6


def test_a_table_in_a_pipe_is_whole_unless_its_width_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(COLUMNS, [["time", LONG], ["steps", "5"]])
    assert f"time   {LONG.strip()}" in capsys.readouterr().out.splitlines()
    print_table(COLUMNS, [["time", LONG], ["steps", "5"]], piped=100)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and max(map(len, lines)) <= 100
    assert [line[:7] for line in lines[2:4]] == [" " * 7] * 2
    assert " ".join(line[7:].strip() for line in lines[1:4]) == LONG.strip()
