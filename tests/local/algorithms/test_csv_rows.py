import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.algorithms.csv_rows import CsvError, parse_csv

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=6)))
@settings(max_examples=100, deadline=None)
def test_written_numbers_are_read_back_exactly(rows) -> None:
    text = "\n".join(",".join(map(repr, row)) for row in rows).encode()
    assert parse_csv(text).tolist() == [list(map(float, row)) for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        b"1,2\n3,4",
        b"1,2\n3,4\n",
        b"1,2\r\n3,4\r\n",
        b"+1,2.\n3,0004\n",
        b' 1 ,"2"\n"3", 4',
        b"1e0,20E-1\n.3e+1,4.0\n\n",
    ],
)
def test_every_usual_spelling_of_the_same_rows_is_read(text) -> None:
    np.testing.assert_array_equal(parse_csv(text), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        (b"1,2\n3", 2, "has 1 field where 2 are expected"),
        (b"1,2\n3,4,5\n6", 2, "has 3 fields where 2 are expected"),
        (b"1,2\n\n3,4", 2, "is empty"),
        (b"", 1, "is empty"),
        (b"\n", 1, "is empty"),
        (b"age,bmi\n1,2", 1, "field 1 'age' is not a finite number"),
        (b"1,2\n3,", 2, "field 2 '' is not a finite number"),
        (b"1,nan", 1, "field 2 'nan' is not a finite number"),
        (b"1,NaN\n", 1, "field 2 'NaN' is not a finite number"),
        (b"1,Infinity", 1, "field 2 'Infinity' is not a finite number"),
        (b"1,1e999", 1, "field 2 '1e999' is not a finite number"),
        (b"1,null", 1, "field 2 'null' is not a finite number"),
        (b"1,true", 1, "field 2 'true' is not a finite number"),
        (b"1,[2]", 1, "field 2 '[2]' is not a finite number"),
        (b"1,1_0", 1, "field 2 '1_0' is not a finite number"),
        (b"1,\xff", 1, "field 2 '\N{REPLACEMENT CHARACTER}' is not a finite number"),
        (b"1;2", 1, "field 1 '1;2' is not a finite number"),
    ],
)
def test_what_is_not_a_row_of_numbers_is_named(text, row, reason) -> None:
    with pytest.raises(CsvError) as caught:
        parse_csv(text)
    assert (caught.value.row, caught.value.reason) == (row, reason)


@given(st.binary(max_size=40) | st.text('0123456789+-.eE,\n\r "', max_size=40).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_finite_rows_or_a_csv_error(text) -> None:
    try:
        rows = parse_csv(text)
    except CsvError:
        return
    assert rows.ndim == 2
    assert all(map(math.isfinite, rows.ravel()))


def test_the_expected_width_is_enforced_on_the_first_row() -> None:
    with pytest.raises(CsvError, match=r"row 1: has 2 fields where 3 are expected"):
        parse_csv(b"1,2\n3,4\n5,6", columns=3)


def test_whole_numbers_of_any_length_are_read() -> None:
    assert parse_csv(b"18446744073709551616,-9223372036854775809\n1,1e22").tolist() == [
        [2.0**64, -(2.0**63)],
        [1, 1e22],
    ]
