"""The words are counted rightly, and what Spark wrote in S3 and in the container is all there."""

from __future__ import annotations

import io
from collections import Counter

import pyarrow.parquet

from tests.strangers.conftest import Execution, Stranger

TEXTS = ("the cat sat on the mat", "the dog saw the cat", "a mat is a mat")


def check(stranger: Stranger, executions: list[Execution]) -> None:
    (execution,) = executions
    assert execution.status == "Succeeded", execution.steps
    counts = Counter(" ".join(TEXTS).split())
    collected = stranger.json("words/collected/words.json")
    assert collected["counts"] == counts
    assert collected["summary"] == {"lines": 3, "over": sum(count > 1 for count in counts.values())}
    assert collected["letters"] == ["a", "b"]
    expected = [
        {"word": "cat", "mean": 2.0, "count": counts["cat"]},
        {"word": "mat", "mean": 4.0, "count": counts["mat"]},
    ]
    assert collected["joined"] == [{name: str(value) for name, value in row.items()} for row in expected]
    joined = stranger.keys("words-out/joined/")
    assert "words-out/joined/_SUCCESS" in joined
    parts = [pyarrow.parquet.read_table(io.BytesIO(stranger.read(key))) for key in joined if key.endswith(".parquet")]
    rows = [row for part in parts for row in part.to_pylist()]
    assert sorted(rows, key=lambda row: str(row["word"])) == expected
