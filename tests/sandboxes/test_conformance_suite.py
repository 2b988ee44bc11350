"""The suite as the page shows it; that it finds out what does not conform is in tests/testing."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_example_is_a_test_module(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sandboxes.md").read_text(encoding="utf-8")
    section = page.split("## A sandbox of your own\n", 1)[1]
    example = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    module = tmp_path / "test_mine.py"
    module.write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(module)]
    only = ["-W", "error", "-k", "streams_of_a_script or listing or restored_whole"]
    done = subprocess.run([*command, *only], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout
