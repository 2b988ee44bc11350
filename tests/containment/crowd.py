"""Installed distributions that do what none may: metadata and modules in a folder."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import distribution

PRINTS = """
import atexit, os, subprocess, sys, threading
from tests.cli.toyparts import Writer
def say(where):
    print(f"noise: {where}", flush=True)
    os.write(1, f"raw noise: {where}\\n".encode())
    subprocess.run(["echo", f"child's noise: {where}"])
say("import")
atexit.register(say, "exit")
class Policy(Writer):
    def __init__(self, config: "Config"):
        say("made")
        super().__init__(config)
    async def act(self, request):
        say("act")
        return await super().act(request)
from tests.cli.toyparts import WriterConfig as Config
"""
LEAKS = """
import subprocess, sys, threading, time
from pathlib import Path
from tests.cli.toyparts import Writer, WriterConfig
class Policy(Writer):
    def __init__(self, config: WriterConfig):
        super().__init__(config)
        threading.Thread(target=time.sleep, args=(600,)).start()
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path("child").write_text(str(child.pid))
"""
AT_STEP_1 = """
import os, sys, time
from mlxlab.testing import ConstantReward
from tests.cli.toyparts import Tree, Writer, WriterConfig
class Policy(Writer):
    def __init__(self, config: WriterConfig):
        super().__init__(config)
    async def act(self, request):
        if request.decision.step == 1 and not os.path.exists("repaired"):
            {}
        return await super().act(request)
class DeafReward(ConstantReward):
    def __init__(self):
        super().__init__(0.5)
    def judge(self, step, task):
        while not os.path.exists("repaired"):
            try:
                time.sleep(60)
            except BaseException:
                pass
        return super().judge(step, task)
class Deaf(Tree):
    def parse(self, decision, completion):
        while decision.step == 1 and not os.path.exists("repaired"):
            try:
                time.sleep(60)
            except BaseException:
                pass
        return super().parse(decision, completion)
"""
HOOKS = """
from mlxlab.core.hooks import hookimpl
print("noise: hooks")
@hookimpl
def mlx_step_recorded(step):
    raise ValueError("no step for me")
"""
COMMAND = """
def configure(parser): ...
def run(args):
    class Strange(BaseException): ...
    raise Strange("no luck")
"""
SUITE = """
class Suite:
    info = None
    def tasks(self):
        raise SystemExit(0)
"""
CHECKS = """
from pydantic import BaseModel, field_validator
class Config(BaseModel):
    part: str = "x"
    @field_validator("part")
    def check(cls, value):
        raise KeyError("no luck")
class Suite:
    def __init__(self, config: Config): ...
"""
PATCHES_MADE = """
import json
from tests.cli.toyparts import Tree as Toy
class Tree(Toy):
    def __init__(self):
        json.dumps = lambda o, **k: str(o)
        super().__init__()
"""
UPKEEP = """
import os, sys, time
def examine():
    return None
async def sweep(*, remove):
    return None
class Nothing: ...
class Blocks:
    @staticmethod
    def examine():
        os._exit(9)
    @staticmethod
    async def sweep(*, remove):
        time.sleep(600)
class Exits:
    @staticmethod
    def examine():
        sys.exit(0)
    @staticmethod
    async def sweep(*, remove):
        sys.exit(0)
def aliases(kind):
    return 3
aliases.offers = lambda: [3]
"""
PRICES = """
import asyncio, sys, time
from tests.cli.toyparts import Writer, WriterConfig
class Exits(Writer):
    def __init__(self, config: WriterConfig):
        super().__init__(config)
    async def price(self):
        sys.exit(0)
class Hangs(Exits):
    async def price(self):
        time.sleep(600)
class Waits(Exits):
    async def price(self):
        await asyncio.sleep(600)
class Deaf(Exits):
    async def price(self):
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
"""
MODULES = {
    "suiting": SUITE,
    "checking": CHECKS,
    "patches_made": PATCHES_MADE,
    "patches_late": AT_STEP_1.format(
        "import json; json.dumps = json.JSONEncoder.encode = lambda *o, **k: str(o)"
    ),
    "raises": "raise RuntimeError('no\\nluck')",
    "hangs": "import time\ntime.sleep(600)",
    "exits": "import sys\nsys.exit('bye')",
    "dies": "import os\nos._exit(9)",
    "patches": "import json\njson.dumps = str\nfrom tests.cli.toyparts import Tree",
    "heavy": "import torch\nfrom tests.cli.toyparts import Tree",
    "torch": "raise ImportError('torch was imported')",
    "moves": "import os\nos.chdir('/')\nfrom tests.cli.toyparts import Tree",
    "prints": PRINTS,
    "leaks": LEAKS,
    "upkeep": UPKEEP,
    "prices": PRICES,
    "dies_late": AT_STEP_1.format("os._exit(9)"),
    "killed_late": AT_STEP_1.format("os.kill(os.getpid(), 9)"),
    "exits_late": AT_STEP_1.format("sys.exit(9)"),
    "hangs_late": AT_STEP_1.format("time.sleep(600)"),
    "hooking": HOOKS,
    "commanding": COMMAND,
}
COMPONENTS = {
    "raises": {"scaffold.raises": "raises:Tree", "task.flights": "raises:T"},
    "hangs": {"scaffold.hangs": "hangs:Tree", "scaffold.aide": "hangs:Tree"},
    "exits": {"scaffold.exits": "exits:Tree", "aliases.exits": "exits:aliases"},
    "dies": {"scaffold.dies": "dies:Tree", "policy.catalog": "dies:P", "suite.dies": "dies:S"},
    "patches": {"scaffold.patches": "patches:Tree"},
    "patches-made": {"scaffold.patches-made": "patches_made:Tree"},
    "heavy": {"scaffold.heavy": "heavy:Tree", "metric.mae": "heavy:mae"},
    "suite": {"suite.exits": "suiting:Suite"},
    "options": {"suite.checks": "checking:Suite"},
    "moves": {"scaffold.moves": "moves:Tree"},
    "prints": {"policy.prints": "prints:Policy"},
    "leaks": {"policy.leaks": "leaks:Policy"},
    "late": {
        "policy.dies-late": "dies_late:Policy",
        "policy.killed-late": "killed_late:Policy",
        "policy.exits-late": "exits_late:Policy",
        "policy.patches-late": "patches_late:Policy",
        "policy.hangs-late": "hangs_late:Policy",
        "scaffold.deaf": "dies_late:Deaf",
        "reward.deaf": "dies_late:DeafReward",
    },
    "other-api": {"scaffold.other-api": "dies:Tree"},
    "prices": {
        f"policy.price-{name.lower()}": f"prices:{name}"
        for name in ("Exits", "Hangs", "Waits", "Deaf")
    },
    "upkeep": {
        "sandbox.nothing": "upkeep:Nothing",
        "sandbox.blocks": "upkeep:Blocks",
        "sandbox.quits": "upkeep:Exits",
        "policy.quits": "upkeep:Exits",
        "reward.dies": "dies:R",
        "trainer.dies": "dies:T",
        "aliases.upkeep": "upkeep:aliases",
    },
}
HOOK_MODULES = {"hook-raises": {"a": "raises"}, "hook-exits": {"b": "exits"},
                "hook-calls": {"c": "hooking"}, "hook-api": {"d": "dies"}}  # fmt: skip
OTHER_API = ("other-api", "hook-api")


def install(site: Path) -> None:
    """Put all of them into a folder of distributions."""
    for name, text in MODULES.items():
        (site / f"{name}.py").write_text(text)
    for name, components in COMPONENTS.items():
        distribution(site, f"acme-{name}", components)
    for name, hooks in HOOK_MODULES.items():
        distribution(site, f"acme-{name}", {}, hooks)
    for name in OTHER_API:
        (info,) = site.glob(f"acme_{name.replace('-', '_')}-*.dist-info")
        stated = info / "entry_points.txt"
        stated.write_text(stated.read_text() + "[mlxlab.api]\n2 = dies\n")


def install_command(site: Path) -> None:
    """A command, which `mlx --help` lists."""
    (site / "commanding.py").write_text(COMMAND)
    distribution(site, "acme-command", {"command.bad": "commanding", "command.run": "commanding"})
