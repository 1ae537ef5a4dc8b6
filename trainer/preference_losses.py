"""What a reward model is trained by: its scores in, each row's loss out. Pure.

DeepSeek-R1 (arXiv 2501.12948v2, section 3.1) trains its helpful reward model on pairs and its
safety reward model on single responses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Pairs:
    """Scores [N] of the better and of the worse responses to N prompts."""

    chosen: Tensor
    rejected: Tensor


@dataclass(frozen=True)
class Points:
    """Scores [N] of responses, and what is known of them: labels [N] from 0 to 1."""

    scores: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Judged:
    """Of each row, [N]: its loss in nats; how far the scores are on the right side, without
    gradient; and whether they are."""

    loss: Tensor
    margin: Tensor
    right: Tensor


def bradley_terry(pairs: Pairs) -> Judged:
    """-log sigmoid(r_chosen - r_rejected): the chance that the better one wins (Bradley and Terry,
    1952). The margin is that difference; equal scores are not right."""
    margin = pairs.chosen.float() - pairs.rejected.float()
    told = margin.detach()
    return Judged(F.softplus(-margin), told, told > 0)


def binary_cross_entropy(points: Points) -> Judged:
    """-y log sigmoid(r) - (1 - y) log(1 - sigmoid(r)). The margin is r towards the label's side of
    0, that of a label above a half being the upper one; a score of 0 is not right."""
    scores, labels = points.scores.float(), points.labels.float()
    loss = F.binary_cross_entropy_with_logits(scores, labels, reduction="none")
    told = scores.detach() * (2.0 * (labels > 0.5) - 1.0)
    return Judged(loss, told, told > 0)
