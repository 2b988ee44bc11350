"""Loading what is on the disk for training: folders, adapters, templates that are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import PolicyRef
from mlxlab.plugins.training.models import Lora, Weights, load, load_base
from tests.training.toy import corpus, job

TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + ':' + m.content + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>me:' }}{% endif %}"
)


def test_a_folder_is_loaded_with_all_weights_to_be_trained(bases: dict[str, Path]) -> None:
    for spec in (str(bases["plain"]), f"local:{bases['plain']}"):
        loaded = load_base(spec, device="cpu")
        whole, trained = loaded.parameters()
        assert whole == trained > 0
        assert loaded.model.training and loaded.model.config.use_cache is False
        assert loaded.tokenizer.eos_token == "<|im_end|>"
        assert loaded.tokenizer.eos_token_id in loaded.ends
        assert loaded.fingerprint and loaded.context == 32768 and not loaded.bf16


def test_an_adapter_is_trained_alone_and_drawn_by_the_seed(bases: dict[str, Path]) -> None:
    import torch

    made = [load_base(str(bases["plain"]), lora=Lora(r=4), seed=s, device="cpu") for s in (1, 1, 2)]
    whole, trained = made[0].parameters()
    assert 0 < trained < whole / 4
    first, same, other = (
        [w for name, w in each.model.named_parameters() if "lora_A" in name] for each in made
    )
    assert all(map(torch.equal, first, same)) and not all(map(torch.equal, first, other))


def test_an_adapters_folder_goes_on_or_is_merged(bases: dict[str, Path]) -> None:
    import torch

    on = load_base(f"local:{bases['adapter']}", lora=Lora(r=16), device="cpu")
    merged = load_base(f"local:{bases['adapter']}", device="cpu")
    assert on.adapted and on.model.peft_config["default"].r == 4
    assert not merged.adapted and merged.parameters()[0] == merged.parameters()[1]
    ids = torch.arange(5, 25).unsqueeze(0)
    with torch.no_grad():
        difference = (on.model.eval()(ids).logits - merged.model.eval()(ids).logits).abs().max()
    assert float(difference) < 1e-3


def test_checkpointed_activations_give_the_same_gradients(bases: dict[str, Path]) -> None:
    import torch

    ids = torch.arange(5, 25).unsqueeze(0)
    found = []
    for checkpointing in (False, True):
        loaded = load_base(str(bases["plain"]), device="cpu", checkpointing=checkpointing)
        loaded.model(input_ids=ids, labels=ids).loss.backward()
        found.append(loaded.model.model.layers[0].mlp.up_proj.weight.grad)
    assert torch.allclose(*found, atol=1e-6) and float(found[0].abs().max()) > 0


@pytest.fixture
def untold(bases: dict[str, Path], tmp_path: Path) -> Path:
    """A checkpoint without a chat template."""
    folder = Path(shutil.copytree(bases["plain"], tmp_path / "untold"))
    (folder / "chat_template.jinja").unlink()
    return folder


def test_a_base_without_a_template_says_what_to_do(untold: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no chat template") as refused:
        load_base(str(untold), device="cpu")
    assert "chat_template=FILE" in refused.value.hint and "\n" not in str(refused.value)
    file = tmp_path / "template.jinja"
    file.write_text(TEMPLATE)
    asked = job(tmp_path / "out", corpus(), base=PolicyRef(spec=str(untold)))
    loaded = load(asked, Weights(chat_template=str(file), device="cpu"))
    assert loaded.tokenizer.chat_template == TEMPLATE
    with pytest.raises(UsageError, match="cannot be read"):
        load(asked, Weights(chat_template=str(tmp_path / "nowhere")))


def test_a_base_without_a_pad_token_takes_one_it_has(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    import json

    folder = Path(shutil.copytree(bases["plain"], tmp_path / "unpadded"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["pad_token"] = None
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    loaded = load_base(str(folder), device="cpu")
    assert loaded.tokenizer.pad_token_id is not None
    assert loaded.model.generation_config.pad_token_id == loaded.tokenizer.pad_token_id


def test_a_template_whose_turns_do_not_end_needs_an_end_token(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    import json

    folder = Path(shutil.copytree(bases["plain"], tmp_path / "endless"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["eos_token"] = None
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    endless = "{% for m in messages %}{{ m.content + '\n' }}{% endfor %}"
    with pytest.raises(UsageError, match="ends an answer"):
        load_base(str(folder), device="cpu", template=endless)


def test_a_spec_with_options_of_a_policy_is_refused(bases: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="temperature"):
        load_base(f"local:{bases['plain']}?temperature=0.3")


def test_an_adapter_is_left_on_no_gguf_file(tmp_path: Path) -> None:
    """What it was learned on could not be put below it; said before the weights are read."""
    (tmp_path / "small.gguf").write_bytes(b"no weights")
    for base in (tmp_path, tmp_path / "small.gguf"):
        asked = job(tmp_path / "out", corpus(), base=PolicyRef(spec=f"local:{base}"))
        with pytest.raises(UsageError, match=r"small\.gguf.*save=adapter") as refused:
            load(asked, Weights(lora=True, save="adapter", device="cpu"))
        assert "save=merged" in refused.value.hint and "\n" not in str(refused.value)
