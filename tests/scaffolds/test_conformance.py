"""The built-in scaffolds, with the options that change their ways, put to the suite of all."""

from typing import ClassVar

from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Scaffold
from mlxlab.scaffolds.recipe import RecipeScaffold
from mlxlab.testing import ScaffoldConformance


class Installed(ScaffoldConformance):
    spec: ClassVar[str]

    @classmethod
    def make(cls) -> Scaffold:
        scaffold: Scaffold = Registry.installed().create("scaffold", cls.spec).instance
        return scaffold


class TestAide(Installed):
    spec = "aide"


class TestAideThatDebugs(Installed):
    spec = "aide?num_drafts=1&debug_prob=1&max_asks=0&memory_chars=0"


class TestLinear(Installed):
    spec = "linear"


class TestRecipe(Installed):
    spec = "recipe"
    known_gaps = RecipeScaffold.known_gaps


class TestRecipeInBareFacts(Installed):
    spec = "recipe?explain=false&repairs=1"
    known_gaps = RecipeScaffold.known_gaps | {
        "scaffold.prompts_tell_the_task": "explain=false is for models that learn the grammar"
    }
