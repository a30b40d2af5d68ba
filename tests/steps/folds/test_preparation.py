"""Columns are prepared: decimal commas, missing values, dates, rare categories, and the label's logarithm."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta

import pandas as pd
import pytest
from folds.errors import FoldError
from folds.learning import MOST_VALUES

HOUSES = """price;area;sold;city;heating
1,5;100,25;2024-02-29;Rome;gas
2;NA;2023-12-31;Oslo;oil
3,25;80;2024-01-01;Rome;
4;120;NA;Bern;gas
5;90;2024-03-01;Rome;oil
6;?;2024-02-29;Oslo;gas
"""
DATASET = {
    "delimiter": ";",
    "decimal": ",",
    "label": "price",
    "numeric": ["area"],
    "dates": {"sold": {"parts": ["year", "month", "weekday", "day_of_year", "days"], "format": None}},
    "categorical": {"city": {"values": "auto", "other": True, "min_frequency": 2}, "heating": ["gas", "oil"]},
    "missing": {"area": "median", "sold": "most_frequent", "heating": "most_frequent"},
    "missing_indicators": ["area", "heating"],
    "count": 2,
}


def rows(folds) -> list[str]:
    return sorted(line for test in folds.tests() for line in test)


def test_all_preparations_together(fold) -> None:
    folds = fold(HOUSES, **DATASET)
    leap = "2024,2,3,60,19782"
    assert rows(folds) == [
        f"1.5,100.25,{leap},0,0,0,1,0,1,0",
        "2,95.125,2023,12,6,365,19722,1,0,1,0,0,0,1",
        "3.25,80,2024,1,0,1,19723,0,1,0,1,0,1,0",
        f"4,120,{leap},0,0,0,0,1,1,0",
        "5,90,2024,3,4,61,19783,0,0,0,1,0,0,1",
        f"6,95.125,{leap},1,0,1,0,0,1,0",
    ]


def test_the_report_says_how_raw_columns_become_features(fold) -> None:
    report = fold(HOUSES, **DATASET).report
    assert report["encoding"] == {"city": ["Oslo", "Rome"], "heating": ["gas", "oil"]}
    assert report["columns"]["features"] == [
        "area",
        "sold_year",
        "sold_month",
        "sold_weekday",
        "sold_day_of_year",
        "sold_days",
        "area_missing",
        "heating_missing",
        "city_Oslo",
        "city_Rome",
        "city_other",
        "heating_gas",
        "heating_oil",
    ]
    assert report["feature_dim"] == 13
    assert report["preparation"] == {
        "numeric": ["area"],
        "decimal": ",",
        "dates": {"sold": {"parts": ["year", "month", "weekday", "day_of_year", "days"], "format": None}},
        "missing_values": ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?"],
        "missing": {
            "area": {"treatment": "median", "fill": "95.125"},
            "sold": {"treatment": "most_frequent", "fill": "2024-02-29"},
            "heating": {"treatment": "most_frequent", "fill": "gas"},
        },
        "missing_indicators": ["area", "heating"],
        "other": ["city"],
        "label_transform": None,
    }


@pytest.mark.slow
def test_a_cluster_prepares_many_files_as_one_process_does(fold, fold_by_spark) -> None:
    generator = random.Random(3)
    header, *_ = HOUSES.splitlines()

    def line() -> str:
        sold = date(2020, 1, 1) + timedelta(days=generator.randrange(1000))
        price = f"{generator.random():.4f}".replace(".", ",")
        area = generator.choice(["", "NA", f"{generator.randrange(50, 200)},5"])
        return f"{price};{area};{sold};{generator.choice('ABCDEF')};{generator.choice(['gas', 'oil', ''])}"

    files = {f"{name}.csv": "\n".join([header, *(line() for _ in range(700))]) for name in "abc"}
    here, there = fold(files, **DATASET), fold_by_spark(files, **DATASET)
    assert here.tests() == there.tests()
    frame = pd.concat(
        pd.read_csv(here.folder.parent / "input-0" / name, sep=";", decimal=",", keep_default_na=True) for name in files
    )
    assert here.report["preparation"]["missing"]["area"]["fill"] == f"{frame['area'].median():.15g}"
    assert here.report["preparation"]["missing"]["heating"]["fill"] == frame["heating"].mode()[0]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"other": True, "min_frequency": 3}, ["a", "b"]),
        ({"other": True, "max_categories": 3}, ["a", "b", "c"]),
        ({"other": True, "min_frequency": 2, "max_categories": 1}, ["a"]),
    ],
)
def test_values_are_found_in_the_file_within_limits(fold, limits, expected) -> None:
    texts = "aaaabbbccd"
    folds = fold("\n".join(["y,kind", *(f"{number},{text}" for number, text in enumerate(texts))]),
        label="y", numeric=[], categorical={"kind": limits}, count=2)  # fmt: skip
    assert folds.report["encoding"] == {"kind": expected}
    other = [text for text in texts if text not in expected]
    assert sum(line.endswith(",1") for line in rows(folds)) == (len(other) or texts.count(expected[-1]))


def test_a_listed_category_has_its_own_missing_text(fold) -> None:
    folds = fold("y,kind\n1,NA\n2,x\n3,\n", label="y", numeric=[], categorical={"kind": ["NA", "x"]},
        missing={"kind": "drop"}, count=2)  # fmt: skip
    assert rows(folds) == ["1,1,0", "2,0,1"]


def test_rows_with_a_missing_value_are_dropped_and_counted(fold) -> None:
    text = "y,a,kind\n1,1,x\n,2,x\n3,NA,x\n4,,\n5,5,y\n6,6,\n"
    folds = fold(text, label="y", numeric=["a"], categorical={"kind": {}}, count=2,
        missing={"y": "drop", "a": "drop", "kind": "drop"})  # fmt: skip
    assert rows(folds) == ["1,1,1,0", "5,5,0,1"]
    assert folds.report["dropped"] == {"total": 4, "by_column": {"y": 1, "a": 2, "kind": 1}}
    assert folds.report["rows"] == 2


def test_a_dropped_row_needs_no_other_valid_value_but_its_text_must_have_all_columns(fold) -> None:
    with pytest.raises(FoldError, match=r"line 3: wrong number of columns"):
        fold("y,a\n1,2\n3\n4,5\n", label="y", numeric=["a"], missing={"a": "drop"}, count=2)
    assert rows(fold("y,a\nx,\n1,2\n3,4\n", label="y", numeric=["a"], missing={"a": "drop"}, count=2)) == ["1,2", "3,4"]


def test_quotes_tell_decimal_commas_from_delimiters(fold) -> None:
    folds = fold('y,a\n"1,5",2\n3,"4,25"\n', label="y", numeric=["a"], decimal=",", count=2)
    assert rows(folds) == ["1.5,2", "3,4.25"]


def test_rows_are_dropped_alike_with_and_without_a_bad_row_beside_them(fold) -> None:
    dataset = {"label": "y", "numeric": ["a"], "missing": {"y": "drop", "a": "drop"}, "count": 2}
    text = 'y,a,note\n1,1,x\nNA,NA,x\n3,,x\n4,4,"x, y"\n5,5,x\n'
    clean = fold(text, **dataset)
    # A block with a bad row is judged row by row, and one without by column.
    beside = fold(f"{text}bad,6,x\n", **dataset, on_bad_rows="quarantine", max_bad_share=1.0)
    assert rows(clean) == rows(beside) == ["1,1", "4,4", "5,5"]
    assert clean.report["dropped"] == beside.report["dropped"] == {"total": 2, "by_column": {"y": 1, "a": 1}}


def test_dropped_rows_count_as_lines_of_the_file(fold) -> None:
    blocks = "".join(f"1,{a},{'x' * 50_000}\n" for a in [*range(40), *[""] * 10])
    with pytest.raises(FoldError, match="line 52: not a number"):
        fold(f"y,a,note\n{blocks}1,bad,\n", label="y", numeric=["a"], missing={"a": "drop"}, count=2)


def test_a_file_in_which_no_line_has_all_columns_is_told_so(fold) -> None:
    with pytest.raises(FoldError, match=r"line 2: wrong number of columns.*2 of 2 rows cannot be used"):
        fold("y,a\n1\n2\n", label="y", numeric=["a"], missing={"a": "median"}, count=2)


def test_missing_values_across_quoted_lines_are_filled(fold) -> None:
    text = 'y,a,note\n1,,"two\nlines"\n2,4,"b"\n3,6,\n'
    folds = fold(text, label="y", numeric=["a"], missing={"a": "median"}, missing_indicators=["a"], count=2)
    assert rows(folds) == ["1,5,1", "2,4,0", "3,6,0"]


def test_the_most_frequent_number_fills_and_the_lowest_of_equals(fold) -> None:
    text = "y,a,b\n" + "".join(f"{number},{a},{b}\n" for number, (a, b) in enumerate([(7, 2), ("7.0", 1), (3, "")]))
    folds = fold(text, label="y", numeric=["a", "b"], missing={"a": "most_frequent", "b": "most_frequent"}, count=2)
    assert {name: each["fill"] for name, each in folds.report["preparation"]["missing"].items()} == {"a": "7", "b": "1"}


def test_the_label_becomes_its_logarithm(fold) -> None:
    folds = fold("y,a\n0,1\n1.5,2\n-0.5,3\n", label="y", numeric=["a"], label_transform="log1p", count=2)
    labels = {line.partition(",")[2]: float(line.partition(",")[0]) for test in folds.tests() for line in test}
    assert labels == {"1": 0.0, "2": math.log1p(1.5), "3": math.log1p(-0.5)}


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("y,a\n1,2\n-1,2\n", {"label_transform": "log1p"}, r"line 3: label without log1p.*column 'y': '-1'"),
        ("y;a\n1;2\n1;1.234,5\n", {"decimal": ",", "delimiter": ";"}, r"line 3: not a number.*column 'a': '1.234,5'"),
        ("y;a\n1;2\n1;1.234\n", {"decimal": ",", "delimiter": ";"}, r"line 3: not a number.*column 'a': '1.234'"),
        (
            "y,a,on\n1,2,2024-01-01\n1,2,1.2.2024\n",
            {"dates": {"on": {"parts": ["year"], "format": None}}},
            r"line 3: not a date in the declared format.*column 'on': '1.2.2024'",
        ),
        (
            "y,a,on\n1,2,\n1,2,2024-01-01\n",
            {"dates": {"on": {"parts": ["year"], "format": None}}},
            r"line 2: missing value.*column 'on': ''.*dataset\.missing",
        ),
        ("y,a,c\n1,2,NA\n1,2,x\n", {"categorical": {"c": {}}}, r"line 2: missing value.*column 'c': 'NA'"),
        ("y,a,c\n1,2,z\n1,2,x\n", {"categorical": {"c": ["x"]}, "missing": {"c": "drop"}}, r"line 2: category that is"),
        ("y,a,c\n1,2,\n1,2,NA\n", {"categorical": {"c": {}}, "missing": {"c": "most_frequent"}}, "only missing values"),
        (
            "y,a,b\n1,2,\n1,2,\n",
            {"numeric": ["a", "b"], "missing": {"b": "median"}},
            "column b has only missing values",
        ),
        ("y,a,id\n1,2,3\n1,2,3\n", {"ignored": []}, r"the header has 'id', which dataset does not name"),
        (
            "y,a,c\n" + "".join(f"1,2,v{number}\n" for number in range(MOST_VALUES + 1)),
            {"categorical": {"c": {}}},
            f"column c has {MOST_VALUES + 1} values, and at most {MOST_VALUES} become features",
        ),
        (
            "y,a,c\n1,2,u\n1,2,v\n",
            {"categorical": {"c": {"other": True, "min_frequency": 2}}},
            "column c has no value with 2 or more rows",
        ),
    ],
)
def test_what_cannot_be_prepared_is_named(fold, text, given, expected) -> None:
    with pytest.raises(FoldError, match=expected):
        fold(text, **{"label": "y", "numeric": ["a"], "count": 2, **given})


def test_dates_have_a_format_of_their_own(fold) -> None:
    dates = {"on": {"parts": ["day", "month", "hour"], "format": "%d.%m.%Y %H:%M"}}
    folds = fold("y,on\n1,29.02.2024 13:45\n2,01.12.2023 00:00\n", label="y", numeric=[], dates=dates, count=2)
    assert rows(folds) == ["1,29,2,13", "2,1,12,0"]


def test_groups_and_strata_work_on_prepared_columns(fold) -> None:
    text = "y,a,group\n" + "".join(f"{number},{'' if number % 5 else number},g{number % 7}\n" for number in range(70))
    given = {"label": "y", "numeric": ["a"], "missing": {"a": "median"}, "count": 2}
    grouped = fold(text, groups="group", **given)
    labels = [{int(line.partition(",")[0]) % 7 for line in test} for test in grouped.tests()]
    assert not labels[0] & labels[1]
    stratified = fold(text, stratify=10, label_transform="log1p", **given)
    assert sorted(map(len, stratified.tests())) == [35, 35]
