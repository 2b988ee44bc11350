"""What a task says of itself to everybody."""

from __future__ import annotations

from math import isfinite

from mlxlab.core.given import lacked
from mlxlab.core.task import TaskInfo
from mlxlab.testing.taskcheck import facts
from mlxlab.testing.tasks.conformance.harness import Harness, called, found

_NUMBERS = ("baseline", "reference", "standard_error", "m_init", "m_best", "exec_timeout_s")


class Facts(Harness):
    """`info` and `hidden`: what scaffolds, policies, rewards and sandboxes read."""

    def test_info_is_stable(self) -> None:
        """Two looks and two instances agree, the hash of the data included."""
        found(facts.info_stable(self.subject()))

    def test_info_is_complete(self) -> None:
        """Titles, columns, rows and scores are there and do not contradict each other."""
        found(facts.info_complete(self.subject()))

    def test_info_is_read_back(self) -> None:
        """`info` written as JSON reads back the same, and its numbers are finite."""
        lacking = lacked("task", called(self.make))
        assert not lacking, lacking
        info: object = self.subject().info
        assert isinstance(info, TaskInfo), f"info is {type(info).__name__}, no TaskInfo"
        numbers = {name: getattr(info, name) for name in _NUMBERS}
        odd = [name for name, value in numbers.items() if value is not None and not isfinite(value)]
        assert not odd, f"{', '.join(odd)} is no finite number"
        again = TaskInfo.model_validate_json(info.model_dump_json())
        assert again == info, "info reads back as another one"

    def test_boards_are_sorted(self) -> None:
        """The scores of a board are finite and in their order, the best first."""
        info = self.subject().info
        for board in info.boards:
            assert all(map(isfinite, board.scores)), f"board '{board.name}' holds no finite number"
            pairs = zip(board.scores, board.scores[1:], strict=False)
            wrong = [(a, b) for a, b in pairs if info.metric.better(b, a)]
            assert not wrong, f"on board '{board.name}' {wrong[0][0]} is before {wrong[0][1]}"

    def test_paths_stay_in_the_workspace(self) -> None:
        """Public files, starter and submission have relative paths without `..`."""
        info = self.subject().info
        for path in (*info.files, *info.starter, info.entrypoint, info.submission.path):
            parts = path.rstrip("/").split("/")
            assert path and "" not in parts and ".." not in parts, f"'{path}' leads elsewhere"

    def test_hidden_is_stated(self) -> None:
        """`hidden` is a tuple of import names, or of `package:folder` inside one."""
        hidden: object = self.subject().task.hidden
        assert isinstance(hidden, tuple), f"hidden is {hidden!r}, no tuple"
        for name in hidden:
            fits = isinstance(name, str) and name.partition(":")[0].replace(".", "_").isidentifier()
            assert fits, f"hidden holds {name!r}"
