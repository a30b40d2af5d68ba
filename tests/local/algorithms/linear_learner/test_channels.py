import gzip

import numpy as np
import pytest

from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.channels import Channel, read_once
from tests.local.algorithms.linear_learner.conftest import csv
from tests.local.algorithms.recordio_writer import dense_stream, framed, message, tensor

ROWS = np.array([[1.5, -2, 0], [2.5, 4, 1], [7, 8, 9], [0.25, 1, 2]])
RECORDIO = "application/x-recordio-protobuf"


@pytest.fixture
def channel(tmp_path):
    """Make a channel of files and read it."""

    def make(files, name="train", **config):
        folder = tmp_path / name
        for relative, content in files.items():
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            (folder / relative).write_bytes(content)
        return Channel.from_config(folder, name, {"ContentType": "text/csv"} | config)

    return make


@pytest.mark.parametrize("mode", ["File", "FastFile", "Pipe"])
@pytest.mark.parametrize("distribution", ["FullyReplicated", "ShardedByS3Key"])
def test_the_input_mode_makes_no_difference(channel, mode, distribution) -> None:
    files = {"part-0.csv": csv(ROWS)}
    read = channel(files, TrainingInputMode=mode, S3DistributionType=distribution).read()
    np.testing.assert_array_equal(read, ROWS)


def test_part_files_at_any_depth_are_read_in_the_order_of_their_names(channel) -> None:
    files = {
        "b/part-1.csv": csv(ROWS[2:]),
        "a/deep/part-9.csv": csv(ROWS[:1]),
        "b/part-0.csv": csv(ROWS[1:2]),
        "_SUCCESS": b"",
        ".part-0.csv.crc": b"crc\x00",
    }
    np.testing.assert_array_equal(channel(files).read(), ROWS)


def test_gzip_is_read_when_the_channel_says_so(channel) -> None:
    files = {"0.csv.gz": gzip.compress(csv(ROWS[:2])), "1.csv.gz": gzip.compress(csv(ROWS[2:]))}
    np.testing.assert_array_equal(channel(files, CompressionType="Gzip").read(), ROWS)


def test_gzip_that_the_channel_does_not_mention_is_named(channel) -> None:
    with pytest.raises(ClientError, match=r"0.csv.gz: the file is gzip, which needs CompressionType Gzip"):
        channel({"0.csv.gz": gzip.compress(csv(ROWS))}).read()


def test_text_that_is_not_gzip_though_the_channel_says_so_is_named(channel) -> None:
    with pytest.raises(ClientError, match=r"Unable to read file /opt/ml/input/data/train/0.csv"):
        channel({"0.csv": csv(ROWS)}, CompressionType="Gzip").read()
    with pytest.raises(ClientError, match=r"Unable to read file /opt/ml/input/data/train/1.csv.gz"):
        channel({"0.csv": b"", "1.csv.gz": gzip.compress(csv(ROWS))[:-5]}, CompressionType="Gzip").read()


def test_recordio_is_read_framed_or_wrapped(channel) -> None:
    stream = dense_stream(ROWS)
    np.testing.assert_array_equal(channel({"data.pb": stream}, ContentType=RECORDIO).read(), ROWS)
    files = {f"{index}.pb": message(tensor(row[1:]), tensor(row[:1])) for index, row in enumerate(ROWS)}
    wrapped = channel(files, name="validation", ContentType=RECORDIO, RecordWrapperType="RecordIO")
    np.testing.assert_array_equal(wrapped.read(), ROWS)


def test_a_wrapper_around_csv_changes_nothing(channel) -> None:
    np.testing.assert_array_equal(channel({"0.csv": csv(ROWS)}, RecordWrapperType="RecordIO").read(), ROWS)


def test_a_large_file_is_read_whole(channel) -> None:
    random = np.random.default_rng(0)
    rows = np.round(random.normal(size=(30_000, 5)), 4)
    text = csv(rows)
    assert len(text) > 2 * 2**18
    np.testing.assert_array_equal(channel({"0.csv": text.replace(b"\n", b"\r\n")}).read(), rows)


def test_a_wrong_row_far_into_a_file_is_named(channel) -> None:
    lines = csv(np.ones((40_000, 3))).splitlines(keepends=True)
    lines[31_415] = b"1.0,x,1.0\n"
    with pytest.raises(ClientError) as caught:
        channel({"part-0.csv": csv(ROWS), "sub/part-1.csv": b"".join(lines)}).read()
    assert str(caught.value) == (
        "Unable to parse csv: rows 31416-31416, file /opt/ml/input/data/train/sub/part-1.csv: "
        "field 2 'x' is not a finite number"
    )


def test_a_blank_line_is_named_wherever_a_file_is_cut(channel) -> None:
    line = b"1.0,2.0\n"
    rows = 2**18 // len(line)
    for before in (rows - 1, rows, rows + 1):
        text = line * before + b"\n" + line
        with pytest.raises(ClientError, match=rf"rows {before + 1}-{before + 1}.*is empty"):
            channel({"0.csv": text}).read()
        assert len(channel({"0.csv": line * before + b"\n\n\n"}).read()) == before


def test_files_of_different_widths_are_named(channel) -> None:
    with pytest.raises(ClientError, match=r"rows 1-1, file .*/1.csv: has 2 fields where 3 are expected"):
        channel({"0.csv": csv(ROWS), "1.csv": csv(ROWS[:, :2])}).read()
    files = {"0.pb": dense_stream(ROWS), "1.pb": dense_stream(ROWS[:, :2])}
    with pytest.raises(ClientError, match=r"/1.pb: record 1: has 1 feature where 2 are expected"):
        channel(files, name="validation", ContentType=RECORDIO).read()


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"1,2,3\n", "0.pb: no RecordIO magic number"),
        (dense_stream(ROWS, label_first=False), "0.pb: record 1: has no label"),
        (dense_stream([[1, 2], [1, float("nan")]]), "0.pb: record 2: has a number that is not finite"),
        (
            framed(message(tensor([1], keys=[0]), tensor([1]))),
            "record 1: is sparse and has no shape, so set feature_dim",
        ),
    ],
)
def test_records_that_cannot_be_trained_on_are_named(channel, stream, reason) -> None:
    with pytest.raises(ClientError, match=rf"Unable to parse recordio-protobuf: file /opt/ml.*{reason}"):
        channel({"0.pb": stream}, ContentType=RECORDIO).read()


@pytest.mark.parametrize("files", [{}, {"_SUCCESS": b""}])
def test_a_channel_without_data_is_named(channel, files) -> None:
    with pytest.raises(ClientError, match=r"The train channel has no data"):
        channel(files).read()


def test_a_file_of_line_breaks_only_is_no_data(channel) -> None:
    with pytest.raises(ClientError, match=r"The train channel has no data"):
        channel({"0.csv": b"\n\n"}).read()


def test_one_column_is_refused(channel) -> None:
    with pytest.raises(ClientError, match=r"one column"):
        channel({"0.csv": b"1\n2\n"}).read()


def test_a_channel_without_a_content_type_is_recordio_as_the_sdks_record_sets_are(channel, tmp_path) -> None:
    assert channel({}, ContentType="").content_type == RECORDIO


@pytest.mark.parametrize("content_type", ["csv", "application/json"])
def test_an_unknown_content_type_is_refused_in_sagemakers_words(channel, content_type) -> None:
    with pytest.raises(
        ClientError, match=rf"No iterator has been registered for ContentType .'{content_type}', '1.0'."
    ):
        channel({}, ContentType=content_type)


def test_a_label_size_of_one_is_what_training_rows_have(channel) -> None:
    assert len(channel({"0.csv": csv(ROWS)}, ContentType="text/csv; label_size=1").read()) == 4
    with pytest.raises(ClientError, match=r"label_size=0 is not supported"):
        channel({}, ContentType="text/csv;label_size=0")


def test_channels_of_different_widths_are_refused(channel) -> None:
    train, validation = channel({"0.csv": csv(ROWS)}), channel({"0.csv": csv(ROWS[:, :2])}, name="validation")
    with pytest.raises(ClientError, match=r"The validation channel has 1 feature, the train channel 2"):
        read_once([train, validation], None)
