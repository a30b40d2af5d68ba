"""Counts the rows of each fold, and of each class in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from folds.deal import Folds
from folds.errors import FoldError
from folds.options import for_fewer_folds
from folds.text import number_of, some_of


@dataclass(frozen=True)
class FoldCounts:
    """The number of rows of each fold.

    Attributes:
        rows: of each fold.
        classes: the label's texts in the order of the classes; none for a label that is a number.
        table: of each fold and class, of shape (folds, classes).
    """

    rows: Sequence[int]
    classes: Sequence[str]
    table: npt.NDArray[np.int64]

    def of_classes(self) -> list[int]:
        """Return the number of rows of each class."""
        return [int(count) for count in self.table.sum(axis=0)]

    def report(self) -> list[dict[str, Any]]:
        """Return the folds for folds.json: with classes, also the rows of each class in the test set."""
        total = sum(self.rows)
        folds = []
        for number, size in enumerate(self.rows, start=1):
            fold: dict[str, Any] = {"fold": number, "test_rows": size, "train_rows": total - size}
            if self.classes:
                fold["class_rows"] = self.table[number - 1].tolist()
            folds.append(fold)
        return folds

    def warnings(self) -> list[str]:
        """Return sentences about classes that are not in every fold.

        As scikit-learn's StratifiedKFold, this warns of a class with fewer rows than folds, and fails only if every
        class has fewer.
        """
        absent = np.argwhere(self.table == 0)
        if not len(absent):
            return []
        fold, place = absent[0].tolist()
        count = int(self.table[:, place].sum())
        gaps = len(absent) - 1
        others = f", and there {'is' if gaps == 1 else 'are'} {number_of(gaps, 'more such gap')}" if gaps else ""
        # A class of one row is in no fold but one, however few there are.
        reason = "merge or drop this class, or get more rows"
        if 1 < count < len(self.rows):
            reason = f"lower folds.count, {reason}"
        elif count >= len(self.rows):
            reason = "folds that keep groups together or follow the order of the file are not stratified"
        return [
            f"fold {fold + 1} has no row of the class {self.classes[place]!r}, which has {number_of(count, 'row')} in "
            f"all{others}: {reason}"
        ]


def counted(dealt: Folds, folds: int, classes: Sequence[str], class_of: npt.NDArray[np.uint16]) -> FoldCounts:
    """Return the counts.

    Args:
        dealt: the fold of each row.
        folds: the number of folds.
        classes: the label's texts in the order of the classes, or none.
        class_of: the class of each row, if there are classes.

    Raises:
        FoldError: a class has no rows, or every class has fewer rows than folds.
    """
    rows = [int(np.count_nonzero(dealt == fold)) for fold in range(1, folds + 1)]
    table = np.zeros((folds, len(classes)), np.int64)
    if classes:
        for fold in range(1, folds + 1):
            table[fold - 1] = np.bincount(class_of[dealt == fold], minlength=len(classes))
        _check_classes(table, classes)
    return FoldCounts(rows, classes, table)


def _check_classes(table: npt.NDArray[np.int64], classes: Sequence[str]) -> None:
    totals = table.sum(axis=0)
    empty = [name for name, total in zip(classes, totals, strict=True) if not total]
    if empty:
        raise FoldError(f"no row has the class {some_of(empty)}: remove it from dataset.classes, or correct its text")
    if totals.max() < len(table):
        advice = for_fewer_folds(len(table), "merge classes, or get more rows")
        raise FoldError(f"every class has fewer rows than {len(table)} folds: {advice}")
