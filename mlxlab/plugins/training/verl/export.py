"""Writing what verl's RLHFDataset reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.errors import MissingExtra, RecordError, UsageError
from mlxlab.core.training.examples import Corpus
from mlxlab.core.training.states import State
from mlxlab.plugins.training.choosing import Ideas, pool, without_ideas

ROWS, SETTINGS, REWARD = "train.parquet", "mlxlab.json", "reward.py"
_SOURCE = '''"""verl's custom_reward_function.path: every answer is carried out by mlxlab."""

from pathlib import Path

from mlxlab.plugins.training.verl.reward import scorer

_score = scorer(Path(__file__).parent)


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **_):
    """The reward of one answer at the state that extra_info names."""
    return _score(solution_str, extra_info)
'''


class VerlConfig(BaseModel):
    """Options of the export for verl: how its answers will be carried out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reward: str = Field("ml-agent", description="The spec of the reward.")
    sandbox: str = Field("local", description="The spec of the sandbox that actions run in.")
    editor: str | None = Field(None, description="The policy that carries out delegated edits.")
    workers: int | None = Field(
        None, gt=0, description="Executions at one time in each of verl's reward processes."
    )
    exec_timeout_s: float | None = Field(None, gt=0, description="Seconds of one execution.")
    missing: float = Field(
        0.0, description="What an action without a reward gets: verl cannot leave one out."
    )
    ideas: Ideas = Field(
        "keep", description="Whether prompts keep the ideas that exploration wove into them."
    )
    trust: bool = Field(
        False, description="Whether actions are carried out on the tasks of runs of others."
    )


class VerlExport:
    """Writes recorded states as a folder that verl trains on.

    verl (arXiv 2409.19256) has the PPO that ML-Agent was trained with, and runs on many GPUs.
    The columns are those that its documentation names: data_source, prompt, ability, reward_model,
    extra_info. Not tried with verl's own trainer by the authors.
    """

    def __init__(self, config: VerlConfig) -> None:
        self.config = config

    def write(self, corpus: Corpus, folder: Path) -> int:
        """Write the rows, the settings and the reward function; returns the number of rows.

        Raises:
            UsageError: there is no state, or one that may not be trained on.
            RecordError: a prompt is gone, or the folder cannot be written.
            MissingExtra: pyarrow is not installed.
        """
        self._refuse(corpus)
        strip = self.config.ideas == "strip"
        states = (pool(corpus, without_ideas) if strip else pool(corpus)).states
        rows = [_row(number, state) for number, state in enumerate(states)]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            settings = self.config.model_dump(mode="json")
            (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n")
            (folder / REWARD).write_text(_SOURCE)
            return _table(rows, folder / ROWS)
        except OSError as error:
            words = error.strerror or str(error)
            raise RecordError(f"{folder} cannot be written: {words}.") from error

    def _refuse(self, corpus: Corpus) -> None:
        """Raise UsageError for states that no trainer may use, or none could be rewarded at."""
        states = [example.state for example in corpus.examples]
        shown = [state for state in states if state.decision.feedback == "private"]
        if shown:
            raise UsageError(
                f"The agent of {_runs(shown)} was shown private scores, which no trainer may see.",
                "Leave such runs out.",
            )
        strange = [state for state in states if not (state.own or self.config.trust)]
        if strange:
            raise UsageError(
                f"Somebody else recorded {_runs(strange)}: no action would be carried out there, "
                "so none would have a reward.",
                "Leave such runs out, or trust their tasks: --format 'verl?trust=true'",
            )
        if lost := [state.id for state in states if state.folder is None]:
            raise UsageError(
                f"The state {lost[0]} lies in no recorded run, and the reward would not find it."
            )


def _runs(states: Sequence[State]) -> str:
    """The first of their runs, and how many others there are."""
    first, *others = dict.fromkeys(state.id.partition("/")[0] for state in states)
    return f"{first} and {len(others)} more" if others else first


def _row(number: int, state: State) -> dict[str, Any]:
    assert state.folder is not None
    return {
        "data_source": f"mlxlab/{state.task}",
        "prompt": [{"role": m.role, "content": m.content} for m in state.messages()],
        "ability": "ml-engineering",
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": {
            "split": "train",
            "index": number,
            "state": state.id,
            "run": str(state.folder.resolve()),
        },
    }


def export_verl(corpus: Corpus, folder: Path, config: VerlConfig | None = None) -> Path:
    """Write a corpus for verl; returns the folder."""
    VerlExport(config or VerlConfig()).write(corpus, folder)
    return folder


def _table(rows: list[dict[str, Any]], path: Path) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("The export for verl", "parquet") from error
    text = pa.string()
    message = pa.struct([("role", text), ("content", text)])
    judged = pa.struct([("style", text), ("ground_truth", text)])
    extra = pa.struct([("split", text), ("index", pa.int64()), ("state", text), ("run", text)])
    schema = pa.schema(
        [
            ("data_source", text),
            ("prompt", pa.list_(message)),
            ("ability", text),
            ("reward_model", judged),
            ("extra_info", extra),
        ]
    )
    new = path.with_name(f".{path.name}.new")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), new)
    new.replace(path)
    return len(rows)
