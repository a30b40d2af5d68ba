"""make_folds.py without its checks: what they cost is the difference.

Every line is taken for a row, none is compared with others, and the first pass counts lines only.

Run: ``python -m benchmarks.unchecked_folds`` with the arguments of make_folds.py.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import Column
from pyspark.sql import functions as f

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "steps"))

import fold_table
import make_folds
from fold_grammar import Verdict
from fold_lines import Lines
from fold_survey import Piece, Survey


def count_only(lines: Lines, verdict: Column, sizes: Mapping[str, int], sample: Sequence[str]) -> Survey:
    """In place of ``fold_survey.take_survey``; for one file."""
    counts = (
        lines.located()
        .select("partition", "start")
        .groupBy("partition")
        .agg(f.count("*").alias("lines"), f.max("start").alias("start"))
        .collect()
    )
    pieces = [
        Piece(next(iter(sizes)), row["start"], row["partition"], Counter({Verdict.ROW: row["lines"]})) for row in counts
    ]
    return Survey(sorted(pieces, key=lambda piece: piece.start), duplicates=0, compared_all=False)


if __name__ == "__main__":
    fold_table.take_survey = count_only  # type: ignore[attr-defined]
    sys.exit(make_folds.main(sys.argv[1:]))
