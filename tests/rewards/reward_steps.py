"""Steps and tasks as the Environment would hand them to a reward."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mlxlab.core.actions import EditFile, ListFiles, RunCode, RunScript, Validate
from mlxlab.core.records import ComponentRef, Decision, Observation, Probe, Status
from mlxlab.core.reward import StepView
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo

RUN = RunCode(code="x = 1")
EDIT = EditFile(path="solution.py", content="x = 1")
LIST = ListFiles()
SCRIPT = RunScript(path="solution.py")
VALIDATE = Validate()
STATUSES = list(Status.__args__)


def task(m_init=None, m_best=None, direction="maximize", m_reason="") -> TaskInfo:
    return TaskInfo(
        id="toy",
        title="",
        description="",
        metric=MetricInfo(name="m", direction=direction),
        submission=SubmissionContract(id_column="id", columns=("y",), rows=1),
        target=("y",),
        files=(),
        train_rows=1,
        public_rows=1,
        private_rows=1,
        data_hash="0",
        m_init=m_init,
        m_best=m_best,
        m_reason=m_reason,
    )


def view(action: Any = RUN, status="ok", score=None, m_t=None, probe=None) -> StepView:
    decision = Decision(
        step=1,
        operator="improve",
        score=m_t,
        scaffold=ComponentRef(kind="scaffold", name="aide", spec="aide"),
        task="toy",
        data_hash="0",
        sandbox="local",
        feedback="public",
        seed=0,
    )
    seen = Observation(status=status, public_score=score, self_score=0.123)
    return StepView(decision=decision, action=action, observation=seen, probe=probe)


SCORES = st.none() | st.floats() | st.sampled_from([0.0, 0.5, 1.0, 5e-324, -1e308, 1e308])
PROBES = st.none() | st.builds(Probe, status=st.sampled_from(STATUSES), score=SCORES)
VIEWS = st.builds(
    view,
    st.sampled_from([None, RUN, EDIT, LIST, SCRIPT, VALIDATE]),
    st.sampled_from(STATUSES),
    SCORES,
    SCORES,
    PROBES,
)
TASKS = st.builds(task, SCORES, SCORES, st.sampled_from(["maximize", "minimize"]))
