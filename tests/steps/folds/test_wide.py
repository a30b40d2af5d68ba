"""Tables with thousands of columns, and columns with thousands of values."""

from __future__ import annotations

import pytest
from folds.errors import FoldError

COLUMNS = [f"column {number}" for number in range(2000)]
VALUES = [f"value {number}" for number in range(10_000)]


def test_two_thousand_columns_are_written_in_their_order(fold) -> None:
    header = ",".join(["id", *reversed(COLUMNS), "y"])
    rows = [",".join([f"x{n}", *(f"{n}.{c}" for c in range(2000)), str(n)]) for n in range(20)]
    made = fold("\n".join([header, *rows]), label="y", numeric=COLUMNS)
    expected = [",".join([str(n), *(f"{n}.{c}" for c in reversed(range(2000)))]) for n in range(20)]
    assert sorted(row for test in made.tests() for row in test) == sorted(expected)
    assert made.report["feature_dim"] == 2000


def test_a_column_of_ten_thousand_values_is_encoded(fold) -> None:
    rows = [f"{n},{n}.5,{VALUES[(n * 77) % 10_000]}" for n in range(400)]
    given = {"label": "y", "numeric": ["a"], "categorical": {"kind": VALUES}, "header": False}
    made = fold("\n".join(rows), **given, layout="manifest")
    assert made.report["feature_dim"] == 10_001
    for row in (row for test in made.tests() for row in test):
        label, number, *one_hot = row.split(",")
        assert number == f"{label}.5"
        assert one_hot.index("1") == int(label) * 77 % 10_000
        assert (len(one_hot), one_hot.count("0")) == (10_000, 9999)


def test_errors_about_wide_tables_are_short(fold) -> None:
    header, row = ",".join(["y", *COLUMNS]), ",".join(["1"] * 2001)
    text = "\n".join([header, *[row] * 9])
    cases = [
        (text.replace("column", "Column"), "the header lacks 'column 0', .* and 1980 more; it names 'y', 'Column 0'"),
        (text + "\n" + row[:-1] + "x", r"line 11: not a number: '1,1,.*…' \(column 'column 1999': 'x'\)"),
        (text + "\n" + row + ",1", r"line 11: wrong number of columns: .* \(2002 fields in 2001 columns\)"),
        ("\n".join([row] * 9), "a header is declared, but the first line holds numbers"),
    ]
    for content, message in cases:
        with pytest.raises(FoldError, match=message) as caught:
            fold(content, label="y", numeric=COLUMNS)
        assert len(caught.value.sentence) < 1200
