import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.algorithms import recordio
from local.algorithms.recordio import RecordIOError, decode, decode_messages, encode_scores
from tests.local.algorithms.recordio_writer import delimited, dense_stream, framed, message, tensor

ROWS = np.array([[1.5, -2, 0, 1e-3], [2.5, 4, 1, 7], [0, 0, 0, 0]], dtype=np.float32)


def test_dense_records_give_their_numbers_back() -> None:
    records = decode(dense_stream(ROWS))
    np.testing.assert_array_equal(records.labels, ROWS[:, 0])
    np.testing.assert_array_equal(records.features, ROWS[:, 1:])


def test_records_at_once_are_records_one_by_one(monkeypatch) -> None:
    stream = dense_stream(ROWS)
    at_once = decode(stream)
    monkeypatch.setattr(recordio, "decode_uniform", lambda data: None)
    one_by_one = decode(stream)
    np.testing.assert_array_equal(at_once.features, one_by_one.features)
    np.testing.assert_array_equal(at_once.labels, one_by_one.labels)


def test_records_without_labels_have_none() -> None:
    records = decode(dense_stream(ROWS, label_first=False))
    assert records.labels is None
    np.testing.assert_array_equal(records.features, ROWS)


def test_a_record_that_breaks_the_pattern_is_still_read() -> None:
    sparse = framed(message(tensor([5, 6], keys=[0, 2], shape=[3]), tensor([9])))
    records = decode(dense_stream(ROWS) + sparse + framed(message(tensor([1, 2, 3], kind=3), tensor([4], kind=7))))
    np.testing.assert_array_equal(records.features[3:], [[5, 0, 6], [1, 2, 3]])
    assert records.labels is not None
    np.testing.assert_array_equal(records.labels[3:], [9, 4])


def test_a_sparse_record_without_shape_takes_the_models_width() -> None:
    stream = framed(message(tensor([5], keys=[1])))
    np.testing.assert_array_equal(decode(stream, features=3).features, [[0, 5, 0]])
    with pytest.raises(RecordIOError, match="record 1: is sparse and has no shape"):
        decode(stream)


def test_negative_integers_are_read() -> None:
    np.testing.assert_array_equal(decode(framed(message(tensor([-3, 2], kind=7)))).features, [[-3, 2]])


def test_messages_without_frames_are_read() -> None:
    records = decode_messages([message(tensor([1, 2]), tensor([3])), message(tensor([4, 5]), tensor([6]))])
    np.testing.assert_array_equal(records.features, [[1, 2], [4, 5]])


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"", "the data has no records"),
        (b"1,2,3\n4,5,6", "no RecordIO magic number at byte 0"),
        (dense_stream(ROWS)[:-3], "the last record is cut off"),
        (dense_stream(ROWS) + b"\n", "the last record is cut off"),
        (framed(b"\xff\xff"), "record 1: is not an aialgs.data.Record"),
        (framed(b""), "record 1: has no features named 'values'"),
        (framed(message(tensor([1, 2]))) + framed(message(tensor([1]))), "record 2: has 1 feature where 2"),
        (dense_stream(ROWS) + dense_stream(ROWS[:, 1:], False), "record 4: only some records have a label"),
        (framed(message(tensor([1, 2], keys=[0, 9], shape=[3]))), "record 1: has sparse keys that do not fit"),
        (framed(message(tensor([1, 2], keys=[0], shape=[3]))), "record 1: has sparse keys that do not fit"),
        (framed(message(tensor([1], keys=[0], shape=[2**40]))), "record 1: has sparse keys that do not fit"),
        (struct.pack("<II", 0xCED7230A, 1 << 29), "is split into parts"),
    ],
)
def test_damage_is_named(stream, reason) -> None:
    with pytest.raises(RecordIOError, match=reason):
        decode(stream)


@given(st.binary(max_size=60), st.integers(0, 60), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_records_or_a_recordio_error(noise, position, wrap) -> None:
    stream = framed(noise) if wrap else dense_stream(ROWS)[:position] + noise + dense_stream(ROWS)[position:]
    try:
        records = decode(stream)
    except RecordIOError:
        return
    assert records.features.ndim == 2


def test_scores_are_labels_of_records_as_the_container_answers_them() -> None:
    expected = b"".join(
        framed(delimited(2, delimited(1, b"score") + delimited(2, tensor([score])))) for score in (1.5, -2.0)
    )
    assert encode_scores([1.5, -2.0]) == expected
