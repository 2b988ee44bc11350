"""What is found once for all sandboxes of a nursery is looked for again where it changed."""

import asyncio
from pathlib import Path

from mlxlab.core.sandbox import SandboxSetup
from mlxlab.sandboxes.local import LocalConfig, LocalSandbox
from mlxlab.sandboxes.zygote import hiding


def test_what_is_left_out_of_a_folder_follows_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "other").mkdir()
    assert hiding.left_out(tmp_path, {"secret", "later"}) == {"secret"}
    (tmp_path / "later.py").write_text("")
    (tmp_path / "later-1.0.dist-info").mkdir()
    (tmp_path / "later-1.0.dist-info" / "METADATA").write_text("Name: later\n")
    found = hiding.left_out(tmp_path, {"secret", "later"})
    assert found == {"secret", "later.py", "later-1.0.dist-info"}
    found.clear()
    assert hiding.left_out(tmp_path, {"secret", "later"})
    assert hiding.left_out(tmp_path, {"secret"}) == {"secret"}


def test_later_sandboxes_tell_of_the_same_packages(tmp_path: Path) -> None:
    async def told() -> list[dict[str, str]]:
        versions = []
        async with asyncio.timeout(120):
            sandboxes = [LocalSandbox(LocalConfig()) for _ in range(2)]
            for number, sandbox in enumerate(sandboxes):
                setup = SandboxSetup(scratch=tmp_path / str(number), hidden=("mlxtend",))
                await sandbox.open(setup)
                versions.append((await sandbox.packages()).versions)
            for sandbox in sandboxes:
                await sandbox.close()
        return versions

    first, second = asyncio.run(told())
    assert first == second and "numpy" in first
    assert "mlxtend" not in first and "mlxlab" not in first
