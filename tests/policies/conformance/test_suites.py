"""What is said of the suites: the page's example works. What they find out is in tests/testing."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from mlxlab.core.records import Completion
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from mlxlab.testing.loopback import Loopback, echo
from mlxlab.testing.policies import neutral_request

ROOT = Path(__file__).parents[3]


def test_the_pages_example_is_a_test_module(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    section = page.split("## A policy of your own\n", 1)[1]
    module = tmp_path / "test_mine.py"
    module.write_text(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(module)]
    only = ["-W", "error", "-k", "an_answer or many_at_once or dropped or no_choices"]
    done = subprocess.run([*command, *only], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout


def test_the_server_may_be_a_function_of_the_request() -> None:
    with Loopback(echo) as server:
        policy = OpenAI(OpenAIConfig(model="m", base_url=f"{server.url}/v1"))

        async def asked() -> Completion:
            try:
                return await policy.act(neutral_request("one two three", token_limit=2))
            finally:
                await policy.close()

        done = asyncio.run(asked())
    assert (done.text, done.finish_reason) == ("one two", "length")
    assert done.usage.completion_tokens == 2
