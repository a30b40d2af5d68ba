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

import fold_plain
import fold_table
import make_folds
from fold_blocks import Span, blocks
from fold_bytes import line_ends
from fold_grammar import Verdict
from fold_lines import Lines
from fold_survey import Piece, Survey


def count_bytes(span: Span, _header: bytes, _columns: int, _one_in: int) -> tuple[int, list[int]]:
    """In place of ``fold_blocks.survey``; for files without a header."""
    return sum(len(line_ends(block)) for block in blocks(span)), []


def count_by_sql(lines: Lines, verdict: Column, sizes: Mapping[str, int], sample: Sequence[str]) -> Survey:
    """In place of ``fold_survey.take_survey``; for one file without a header."""
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
    fold_plain.survey = count_bytes  # type: ignore[assignment, attr-defined]
    fold_table.take_survey = count_by_sql  # type: ignore[attr-defined]
    sys.exit(make_folds.main(sys.argv[1:]))
