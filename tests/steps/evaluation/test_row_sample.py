from __future__ import annotations

import numpy as np
from evaluation import row_sample
from evaluation.row_sample import RowSample
from evaluation.rows import Block


def sample_of(sizes: list[int], block: int) -> RowSample:
    sample = RowSample()
    for fold, size in enumerate(sizes, start=1):
        for start in range(0, size, block):
            numbers = np.arange(start + 1, min(start + block, size) + 1, dtype=np.float64)
            sample.add(fold, Block(np.column_stack([numbers, numbers * fold]), []))
    return sample


def test_few_rows_are_all_in_the_sample() -> None:
    sample = sample_of([7, 5], block=3)
    assert [own.rows.tolist() for own in sample.of_folds.values()] == [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5]]


def test_of_many_rows_each_fold_keeps_evenly_spread_ones_however_they_are_read(monkeypatch) -> None:
    monkeypatch.setattr(row_sample, "_MOST_ROWS", 50)
    samples = [sample_of([400, 300], block) for block in (7, 1000)]
    for sample in samples:
        assert sum(len(own.rows) for own in sample.of_folds.values()) <= 50
        for own in sample.of_folds.values():
            assert set(np.diff(own.rows)) == {16}
            assert own.table[:, 0].tolist() == own.rows.tolist()
    assert samples[0].of_folds[1].rows.tolist() == samples[1].of_folds[1].rows.tolist()
