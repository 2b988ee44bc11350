"""The log-probabilities of GRPOTrainer, with the prompt of a group read once."""

from __future__ import annotations

from typing import Any

from mlxlab.plugins.training.sequences import Sequences, shareable, shared

Tensor = Any
IGNORED = -100


def of_group(model: Any, ids: Tensor, mask: Tensor, width: int) -> tuple[Tensor, Tensor] | None:
    """Logarithms of probability and entropies of completions, with gradients: (R, T) each.

    TRL 1.16 reads the prompt again for every action of a group, though it is most of the tokens.
    Here it is read once and its keys and values are shared, as in the trainer `ppo`; the numbers
    and their gradient are the same. Logits are still made in tiles, by TRL's fused head.

    Args:
        model: with TRL's fused head.
        ids: (R, P + T), prompts padded on the left and completions on the right.
        mask: (R, P + T), 1 at tokens.
        width: T.

    Returns:
        None where no prompt can be shared.
    """
    sequences = Sequences.padded(
        ids[:, :-width], mask[:, :-width], ids[:, -width:], mask[:, -width:]
    )
    if not shareable(model, sequences):
        return None
    labels = sequences.ids.masked_fill(sequences.mask == 0, IGNORED)
    answer = shared(model, sequences, shift_labels=labels, fused_lm_head=True)
    return answer.log_probs, answer.entropy
