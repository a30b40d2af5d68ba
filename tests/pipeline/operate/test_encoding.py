from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.operate.encoding import encoded_file

ROOT = Path(__file__).resolve().parents[3]


def test_the_first_rows_of_the_dataset_are_the_known_records(config) -> None:
    lines = encoded_file(ROOT / "data/insurance.csv", config.dataset, limit=3)
    assert lines == ["19,27.9,0,1,0,0,0,0,1,0,1", "18,33.77,1,0,1,0,0,1,0,1,0", "28,33,3,0,1,0,0,1,0,1,0"]


def test_columns_may_come_in_any_order_and_with_others(config, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("note,smoker,region,sex,children,bmi,age\nx,yes,southwest,female,0,27.9,19\n")
    assert encoded_file(path, config.dataset) == ["19,27.9,0,1,0,0,0,0,1,0,1"]


def test_rows_without_a_header_are_the_encoded_features(config, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("19,27.9,0,1,0,0,0,0,1,0,1\n")
    assert encoded_file(path, config.dataset) == ["19,27.9,0,1,0,0,0,0,1,0,1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "age,sex,bmi,children,smoker,region\n19,x,27.9,0,yes,southwest\n",
            "rows.csv:2: sex is 'x': one of female, male",
        ),
        ("age,sex,bmi,children,smoker,region\nold,male,27.9,0,yes,southwest\n", "rows.csv:2: age is 'old'"),
        ("age,sex,bmi,children,smoker,region\nnan,male,27.9,0,yes,southwest\n", "rows.csv:2: age is 'nan'"),
        ("1,2,3\n", "has 3 columns. Give a header that names age, bmi"),
        ("", "has no rows"),
    ],
)
def test_a_row_that_cannot_be_encoded_is_named(config, tmp_path, text, expected) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=expected.replace("(", r"\(")):
        encoded_file(path, config.dataset)


def test_a_wide_table_is_refused_in_few_words(config, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("1,2,3\n")
    wide = config.dataset.model_copy(update={"numeric": [f"column {number}" for number in range(2000)]})
    with pytest.raises(UserError, match=r"column 19 and 1983 more; or, .* and 1988 more") as refused:
        encoded_file(path, wide)
    assert len(str(refused.value)) < 1000
