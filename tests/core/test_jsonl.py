from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import RecordError
from mlxlab.core.jsonl import JsonlWriter, read_jsonl
from mlxlab.core.records import Message

MESSAGES = st.lists(
    st.builds(Message, role=st.just("user"), content=st.text(max_size=30)), max_size=5
)


@given(messages=MESSAGES, cut=st.floats(0, 1))
def test_a_file_torn_anywhere_gives_its_whole_lines_and_can_be_appended_to(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Message], cut: float
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    writer = JsonlWriter(path)
    for message in messages:
        writer.append(message)
    writer.close()
    data = path.read_bytes()
    torn = data[: int(len(data) * cut)]
    path.write_bytes(torn)

    whole = torn.count(b"\n")
    assert read_jsonl(path, Message) == messages[:whole]

    writer = JsonlWriter(path)
    writer.append(Message(role="user", content="after"), durable=True)
    writer.close()
    writer.close()
    assert [m.content for m in read_jsonl(path, Message)][whole:] == ["after"]


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"role":"user","content":"a"}\n{"role":"nobody","content":"b"}\n')
    with pytest.raises(RecordError, match=r"x\.jsonl, line 2: role"):
        read_jsonl(path, Message)


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    assert read_jsonl(tmp_path / "none", Message) == []
