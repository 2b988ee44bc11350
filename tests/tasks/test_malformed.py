"""Whatever code may leave as a submission: the form's fault is named, and nothing else is."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.graders import GOOD, csv, labels, numbers

LINES = GOOD.decode().splitlines()


def text(*lines):
    return ("\n".join(lines) + "\n").encode()


MALFORMED = {
    "nothing": (b"", "empty"),
    "blank": (b" \n\n", "empty"),
    "header alone": (text("id,y"), "no rows"),
    "no header": (text(*LINES[1:]), "columns must be 'id', 'y'"),
    "wrong column": (text("id,label", *LINES[1:]), "but the first line has 'id', 'label'"),
    "index column": (
        text(",id,y", *(f"{i},{line}" for i, line in enumerate(LINES[1:]))),
        "index=False",
    ),
    "column missing": (text("id", *(line.split(",")[0] for line in LINES[1:])), "has 'id'"),
    "column twice": (text("id,y,y", *(line + ",1" for line in LINES[1:])), "'id', 'y', 'y'"),
    "not utf-8": (b"id,y\n100,\xff\n", "UTF-8"),
    "utf-16": (GOOD.decode().encode("utf-16"), "UTF-8"),
    "nul bytes": (GOOD.replace(b"3\n", b"\x00\n"), "NUL"),
    "gzip": (b"\x1f\x8b\x08\x00rubbish", "compressed"),
    "zip": (b"PK\x03\x04rubbish", "compressed"),
    "png": (b"\x89PNG\r\n\x1a\n", "UTF-8"),
    "json": (b'{"id": [100], "y": [0]}\n', "columns must be"),
    "open quote": (text(*LINES[:4], '103,"3'), "not CSV"),
    "short line": (text(*LINES[:4], "103"), "line 5 has 1 fields instead of 2"),
    "long line": (text(*LINES[:4], "103,3,3"), "line 5 has 3 fields instead of 2"),
    "row missing": (text(*LINES[:-1]), "1 of 8 ids are missing, such as '107'"),
    "row too many": (text(*LINES, "108,8"), "more than 8 rows"),
    "unknown id": (GOOD.replace(b"103,", b"999,"), "the id '999' is not in test.csv"),
    "id twice": (GOOD.replace(b"103,", b"102,"), "the id '102' occurs 2 times"),
    "empty value": (GOOD.replace(b"103,3", b"103,"), "'y' of the id '103' is empty"),
    "nan": (GOOD.replace(b"103,3", b"103,nan"), "'103' is 'nan'"),
    "infinity": (GOOD.replace(b"103,3", b"103,-inf"), "'103' is '-inf'"),
    "overflow": (GOOD.replace(b"103,3", b"103,1e999"), "'103' is '1e999'"),
    "word": (GOOD.replace(b"103,3", b"103,three"), "'three', which is no number"),
    "underscore": (GOOD.replace(b"103,3", b"103,3_0"), "no number"),
    "list": (GOOD.replace(b"103,3", b"103,[3]"), "no number"),
    "too large": (csv([1e200] * 8), "too large for rmse"),
    "absurd size": (GOOD + b" " * 100_000, "at most"),
    "control characters": (
        GOOD.replace(b"103,3", b"103,\x1b[31mred"),
        re.escape(r"'\x1b[31mred'"),
    ),
    "endless cell": (GOOD.replace(b"103,3", b"103," + b"x" * 1000), r"'x{37}\.\.\.', which"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_the_fault_is_named(name):
    data, message = MALFORMED[name]
    grade = numbers().grade(data)
    assert not grade.valid
    assert re.search(message, grade.message), grade.message
    assert grade.message.startswith("submission.csv: ")
    assert "\n" not in grade.message
    assert len(grade.message) < 300
    assert (grade.public, grade.private, grade.private_standard_error) == (None, None, None)


def test_a_fault_in_a_private_row_reads_like_one_in_a_public_row():
    said = {
        re.sub(
            r"\d+", "N", numbers().grade(GOOD.replace(f"{100 + row},{row}".encode(), b"")).message
        )
        for row in range(8)
    }
    assert len(said) == 1


def test_an_unknown_label_lists_the_valid_ones():
    rows = [f"r{row},bird" for row in range(6)]
    message = labels().grade(text("id,y", *rows)).message
    assert "'bird', which is no label" in message
    assert "Valid labels: 'cat', 'dog'." in message


def test_a_long_list_of_labels_is_cut():
    names = [str(number) for number in range(30)]
    rows = [f"r{row},x" for row in range(90)]
    message = labels(names).grade(text("id,y", *rows)).message
    assert "'0', '1', '2'" in message
    assert "'19' and 10 more" in message
    assert "'20'" not in message


def test_a_label_that_only_the_answers_hold_is_valid_and_listed_nowhere():
    grader = labels(("cat", "dog", "eel"), listed=("cat", "dog"))
    right = [f"r{row},{('cat', 'dog', 'eel')[row % 3]}" for row in range(9)]
    assert grader.grade(text("id,y", *right)).private == 1.0
    assert "eel" not in grader.grade(text("id,y", "r0,emu", *right[1:])).message


def test_probabilities_out_of_range_are_said():
    grade = numbers(2, "log_loss").grade(csv([0.5, 1.5], first=100))
    assert not grade.valid
    assert "between 0 and 1" in grade.message


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    assert not numbers().grade(data).valid


@given(st.text(max_size=40))
def test_no_cell_raises(cell):
    grade = numbers().grade(GOOD.replace(b"103,3", f"103,{cell}".encode("utf-8", "ignore")))
    assert grade.valid or grade.message


def test_a_hundred_megabytes_are_refused_at_once():
    data = b"id,y\n" + b"100,1\n" * 20_000_000
    start = time.perf_counter()
    assert "at most" in numbers().grade(data).message
    assert time.perf_counter() - start < 5
