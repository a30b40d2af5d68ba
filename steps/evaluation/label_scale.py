"""The scale on which models were trained: the label's own, or that of its transform."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluation.errors import SelectionError
from evaluation.rows import Block, Numbers


@dataclass(frozen=True)
class LabelScale:
    """The scale of the folds' labels and of the models' predictions.

    Attributes:
        transform: ``log1p``, or None for the label's own scale.
    """

    transform: str | None = None

    def undone(self, values: Numbers) -> Numbers:
        """Return values in the label's unit.

        Raises:
            SelectionError: a value is too large.
        """
        if self.transform is None:
            return values
        with np.errstate(over="ignore"):
            undone = np.expm1(values)
        if not np.isfinite(undone).all():
            raise SelectionError(
                f"a model predicts {float(values.max()):.4g} as the logarithm of a label, which is too large: use "
                "smaller learning rates, or set dataset.label_transform to null"
            )
        return undone

    def in_units(self, block: Block) -> Block:
        """Return rows with labels in the label's unit. Twelve digits remain, which hide the logarithm's rounding."""
        if self.transform is None:
            return block
        labels = [f"{label:.12g}" for label in self.undone(block.labels).tolist()]
        table = block.table.copy()
        table[:, 0] = np.array(labels, np.float64)
        lines = [
            label.encode() + b"," + line.partition(b",")[2] for label, line in zip(labels, block.lines, strict=True)
        ]
        return replace(block, table=table, lines=lines)
