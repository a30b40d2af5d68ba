"""Large tables are read in evenly spread pieces, small ones whole."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from pipeline.report.parts import MissingError, Part
from pipeline.report.predictions import read_predictions
from pipeline.report.stored import PIECE_BYTES, PIECES, read_object

URI = "s3://bucket/prices/evaluation/out_of_fold.csv"


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield client


def put(s3, rows: int) -> int:
    lines = [f"{row},{1 + row % 5},{row}.5,{row}.25\n" for row in range(1, rows + 1)]
    body = "".join(["row,fold,label,prediction\n", *lines]).encode()
    s3.put_object(Bucket="bucket", Key="prices/evaluation/out_of_fold.csv", Body=body)
    return len(body)


def test_a_small_table_is_read_whole(s3) -> None:
    put(s3, 1000)
    read = read_predictions(s3, URI, 1000)
    assert read.table[:, 0].tolist() == list(range(1, 1001))
    assert set(read.residuals) == {0.25}
    assert read.worst(1) == [{"fold": 2, "row": 1, "actual": 1.5, "prediction": 1.25, "residual": 0.25}]


@pytest.mark.slow
def test_of_a_large_table_evenly_spread_whole_rows_are_read(s3) -> None:
    size, rows = put(s3, 800_000), 800_000
    assert size > 2 * PIECES * PIECE_BYTES
    read = read_predictions(s3, URI, rows)
    places = read.table[:, 0]
    assert (places[1:] > places[:-1]).all()
    assert set(read.residuals) == {0.25}
    assert len(places) * size < 1.01 * PIECES * PIECE_BYTES * rows
    # Each hundredth of the rows is either read in part, or next to one that is.
    assert max(places[1:] - places[:-1]) < rows / 60
    assert (places[0], places[-1]) == (1, rows)
    assert len(read.rows(1500)) == 1500


def test_what_is_not_there_is_a_sentence(s3) -> None:
    with pytest.raises(MissingError, match=f"{URI} is not there: it was deleted, or"):
        read_predictions(s3, URI, 5)
    gone = Part.of(lambda: read_object(s3, "s3://nowhere/folds.json"))
    assert gone.missing.startswith("s3://nowhere/folds.json is not there")
