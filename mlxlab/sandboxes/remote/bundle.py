"""The server's source as one command that needs no file where it is run."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_SOURCE = Path(__file__).parents[1] / "zygote"
_MODULES = (
    *("__init__", "confine", "folders", "forked", "hiding", "ipc", "killing", "leaving", "linux"),
    *("preload", "program", "removal", "room", "seccomp", "server", "stream", "together", "tree"),
)
_BOOT = """\
import base64,importlib.util,json,sys,zlib
if sys.version_info<(3,9):sys.exit("Python 3.9 or newer is needed")
class Bundle:
    sources=json.loads(zlib.decompress(base64.b64decode(%r)))
    @classmethod
    def find_spec(cls,name,path=None,target=None):
        if name in cls.sources:
            return importlib.util.spec_from_loader(name,cls,is_package=name=="zygote")
    @staticmethod
    def create_module(spec):pass
    @classmethod
    def exec_module(cls,module):
        name=module.__name__
        exec(compile(cls.sources[name],"<"+name+">","exec"),module.__dict__)
sys.path[:]=[entry for entry in sys.path if entry]
sys.meta_path.insert(0,Bundle)
from zygote.server import serve
sys.meta_path.remove(Bundle)
serve()
"""


def command(python: Sequence[str] = ("python3",)) -> list[str]:
    """The command that is the server, its last argument below 100 kB; PATH finds the Python."""
    # -s: what a program leaves in its home must not be imported by the next server.
    return [*python, "-s", "-c", _text()]


@cache
def _text() -> str:
    sources = {}
    for module in _MODULES:
        name = f"zygote.{module}".removesuffix(".__init__")
        sources[name] = (_SOURCE / f"{module}.py").read_text()
    packed = zlib.compress(json.dumps(sources).encode(), 9)
    return _BOOT % base64.b64encode(packed).decode()
