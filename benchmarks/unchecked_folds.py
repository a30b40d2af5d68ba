"""make_folds.py without its checks, to measure their cost.

Every number is taken for one, and no row is compared with others.

Run: ``python -m benchmarks.unchecked_folds`` with the arguments of make_folds.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "steps"))

import make_folds
from folds import judge, number
from folds.number import Item, Result
from pyspark import SparkContext


def unchecked(work: Callable[[Item], Result], item: Item) -> Result:
    """Run work in one of Spark's workers, without checks."""
    judge.are_rows = lambda *_: True  # type: ignore[attr-defined]
    number.sample = lambda *_: []
    return work(item)


if __name__ == "__main__":
    checked = make_folds.by_spark

    def by_spark(started: Callable[[], SparkContext]) -> number.Distribute:
        """Replace ``make_folds.by_spark``."""
        distribute = checked(started)

        def without_checks(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
            return distribute(partial(unchecked, work), items)

        return without_checks

    make_folds.by_spark = by_spark
    sys.exit(make_folds.main(sys.argv[1:]))
