"""What a training leaves: a new policy, and nothing else."""

from __future__ import annotations

from pathlib import Path

from mlxlab.core.errors import MlxError
from mlxlab.core.given import lacked
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import FINAL, PolicyRef
from mlxlab.core.training.examples import Corpus
from mlxlab.testing.trainers.conformance.harness import Harness, digests, within


class Results(Harness):
    """The result, the base, and the folders around them."""

    def test_result_is_final(self) -> None:
        """`train` returns local:OUT/final, or another policy's NAME:OUT/final; it holds files."""
        lacking = lacked("trainer", self.make())
        assert not lacking, lacking
        seen = self.whole()
        kind = type(seen.ref).__name__
        assert isinstance(seen.ref, PolicyRef), f"train returned {kind}, no PolicyRef"
        wanted = str(seen.out / FINAL)
        assert Spec.parse(seen.ref.spec).argument == wanted, (
            f"train returned '{seen.ref.spec}', expected local:{wanted}, or another policy's "
            f"NAME:{wanted}"
        )
        found = digests(seen.out / FINAL) if (seen.out / FINAL).is_dir() else {}
        assert found, f"{FINAL} holds no file"

    def test_result_is_a_policy(self) -> None:
        """The spec that `train` returns names a policy that there is, with options that it has."""
        ref = self.whole().ref
        spec = ref.spec if isinstance(ref, PolicyRef) else repr(ref)
        try:
            Registry.installed().check("policy", spec)
        except MlxError as error:
            raise AssertionError(f"--policy does not take '{spec}': {error}") from error

    def test_result_differs(self) -> None:
        """The new policy is not the base under another name."""
        seen = self.whole()
        before = set(digests(self.folder / "base").values())
        after = digests(seen.out / FINAL)
        new = [name for name, digest in after.items() if digest not in before]
        assert any(not name.endswith(".md") for name in new), "final holds the base's files"
        for name in ("model.safetensors", "adapter_model.safetensors"):
            assert name not in after or name in new, f"{name} is the base's"

    def test_base_untouched(self) -> None:
        """The model that training begins with is not written to."""
        before = digests(self.folder / "base")
        self.train("untouched")
        after = digests(self.folder / "base")
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        assert not changed, f"the base was changed: {', '.join(changed)}"

    def test_writes_to_out_only(self) -> None:
        """Nothing is written beside `out`, the working folder included."""
        root = self.folder / "apart"  # what other trainings have left hides nothing here
        known = {*self._paths(), root, root / "out", root / "work"}
        seen = self.train("alone", root=root)
        out, ended_in = seen.out, seen.ended_in
        new = [path for path in self._paths() - known if not path.is_relative_to(out)]
        told = ", ".join(sorted(str(path.relative_to(self.folder)) for path in new))
        assert not new, f"written outside out: {told}"
        assert ended_in == root / "work", f"train changed the working folder, to {ended_in}"

    def test_empty_corpus(self) -> None:
        """Nothing to learn from is an error in a line, with a hint."""
        try:
            self.train("empty", corpus=Corpus(()))
        except MlxError as error:
            assert "\n" not in str(error), f"more than a line: {error}"
            assert error.hint, f"'{error}' says what happened, but not what to do: give a hint"
        except Exception as error:
            raise AssertionError(
                f"an empty corpus ended in {type(error).__name__}: {error}; raise a UsageError"
            ) from error
        else:
            raise AssertionError("an empty corpus was trained on")

    def test_estimates(self) -> None:
        """A trainer with `estimate` says what a job takes, in lines, and writes nothing."""
        from mlxlab.core.trainer import Estimate, Estimating, Machine, TrainJob

        trainer = self.make()
        if not isinstance(trainer, Estimating):
            return
        out = self.folder / "out" / "estimated"
        with within(self.folder / "work"):
            lines: object = trainer.estimate(TrainJob(self.corpus(), self.first, out), Machine())
        kind = type(lines).__name__
        assert isinstance(lines, list | tuple), f"estimate returned {kind}, no list of Estimate"
        odd = [type(each).__name__ for each in lines if not isinstance(each, Estimate)]
        assert not odd, f"estimate returned a list with {odd[0]}, no Estimate"
        assert lines, "estimate returned no line"
        assert all(each.name and each.value for each in lines), f"a line says nothing: {lines!r}"
        assert not out.exists() or not digests(out), "a dry run wrote into out"

    @classmethod
    def _paths(cls) -> set[Path]:
        return set(cls.folder.rglob("*"))
