from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline.config.columns import CategorySection
from pipeline.errors import UserError
from pipeline.operate.encoding import RowEncoder, layout_of
from pipeline.operate.features import RowError
from pipeline.operate.model_columns import ModelColumns

ROOT = Path(__file__).resolve().parents[3]
RAW = "age,sex,bmi,children,smoker,region\n"
FEATURES = "19,27.9,0,1,0,0,0,0,1,0,1"


def categories(**values: list[str]) -> dict[str, CategorySection]:
    return {name: CategorySection(values=own) for name, own in values.items()}


def encoded(text: str, dataset, columns: ModelColumns | None = None) -> list[str]:
    """The features of a file's rows."""
    columns = columns or ModelColumns.of_dataset(dataset)
    assert columns is not None
    lines = text.splitlines()
    layout = layout_of("rows.csv", lines[0], columns, dataset)
    encoder = RowEncoder(layout, columns)
    return [encoder.encode(row) for row in csv.reader(lines[layout.header :], delimiter=layout.delimiter)]


def test_the_first_rows_of_the_dataset_are_the_known_records(config) -> None:
    lines = "\n".join((ROOT / "data/insurance.csv").read_text().splitlines()[:4])
    assert encoded(lines, config.dataset) == [FEATURES, "18,33.77,1,0,1,0,0,1,0,1,0", "28,33,3,0,1,0,0,1,0,1,0"]


def test_columns_may_come_in_any_order_and_with_others(config) -> None:
    text = "note,smoker,region,sex,children,bmi,age\nx,yes,southwest,female,0,27.9,19\n"
    assert encoded(text, config.dataset) == [FEATURES]


def test_rows_without_a_header_are_the_encoded_features(config) -> None:
    assert encoded(f"{FEATURES}\n", config.dataset) == [FEATURES]


def test_a_header_may_name_the_encoded_features_in_any_order(config) -> None:
    names = config.dataset.features
    text = ",".join(reversed(names)) + "\n" + ",".join(reversed(FEATURES.split(",")))
    assert encoded(text, config.dataset) == [FEATURES]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("text", [f"{RAW}19,female,27.9,0,yes,southwest\n", f"{FEATURES}\n"])
def test_another_delimiter_is_found(config, delimiter, text) -> None:
    assert encoded(text.replace(",", delimiter), config.dataset) == [FEATURES]


def test_the_configured_delimiter_comes_first(config) -> None:
    dataset = config.dataset.model_copy(update={"delimiter": "^", "numeric": ["a,b"], "categorical": {}})
    assert encoded("a,b^c\n1^x\n", dataset) == ["1"]


def test_files_without_a_header_have_the_columns_of_the_training_files(config) -> None:
    dataset = config.dataset.model_copy(update={"header": False})
    assert encoded("16884.9,19,27.9,0,female,southwest,yes\n", dataset) == [FEATURES]
    assert encoded(f"{FEATURES}\n", dataset) == [FEATURES]


def test_as_many_training_columns_as_features_are_told_apart_by_their_values(config) -> None:
    dataset = config.dataset.model_copy(
        update={"header": False, "numeric": ["age"], "categorical": categories(sex=["f", "m"])}
    )
    assert encoded("100,19,m\n", dataset) == ["19,0,1"]
    assert encoded("19,0,1\n", dataset) == ["19,0,1"]


@pytest.mark.parametrize(
    ("row", "features"),
    [
        (" 19 , female,27.9, 0,yes ,southwest", FEATURES),
        ('"19","female","27.9","0","yes","southwest"', FEATURES),
        ("+19,female,2.79e1,.0,yes,southwest", "+19,2.79e1,.0,1,0,0,0,0,1,0,1"),
    ],
)
def test_numbers_and_categories_may_be_written_in_different_ways(config, row, features) -> None:
    assert encoded(RAW + row, config.dataset) == [features]


@pytest.mark.parametrize("value", ["old", "", "nan", "inf", "1_000", "1e39", "1e999", "0x1F", "1,5", "\u0663", "1 2"])
def test_a_value_that_is_not_a_number_is_named(config, value) -> None:
    with pytest.raises(RowError, match=f"^age is {value!r}: a"):
        encoded(f'{RAW}"{value}",male,27.9,0,yes,southwest\n', config.dataset)


def test_the_largest_float_is_a_number(config) -> None:
    dataset = config.dataset.model_copy(update={"numeric": ["a", "b"], "categorical": {}})
    assert encoded("a,b\n3.4e38,-3.4e38\n", dataset) == ["3.4e38,-3.4e38"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("19,x,27.9,0,yes,southwest", "sex is 'x': one of female, male is expected"),
        ("19,female,27.9,0,yes", "has 5 fields, but 6 are expected"),
        ("19,female,27.9,0,yes,southwest,1", "has 7 fields, but 6 are expected"),
    ],
)
def test_a_row_that_cannot_be_encoded_is_explained(config, row, expected) -> None:
    with pytest.raises(RowError, match=expected):
        encoded(RAW + row, config.dataset)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3\n", "rows.csv: has 3 columns. Give a header that names age, bmi"),
        (
            "age;sex;bmi;children;smokes;region\n",
            "rows.csv: the header lacks smoker, which the configuration needs; it names age, sex, bmi",
        ),
        ("age,age,sex,bmi,children,smoker,region\n", "rows.csv: the header names age twice"),
    ],
)
def test_a_file_without_the_models_columns_is_refused(config, text, expected) -> None:
    with pytest.raises(UserError, match=expected):
        encoded(text, config.dataset)


@pytest.mark.parametrize(
    ("configured", "stored", "named"),
    [("cp1252", "UTF-8", "UTF-8"), ("cp1252", "utf-8-sig", "UTF-8"), ("UTF-8", "cp1252", "cp1252")],
)
@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("código,nº,m²", ""),
        ("código,nº,m²,más", ""),
        ("nº,m²", "; it lacks código, which the configuration needs"),
    ],
)
def test_a_file_in_another_encoding_is_told_by_its_header(config, configured, stored, named, header, lacking) -> None:
    changes = {"numeric": ["código", "nº"], "categorical": {}, "encoding": configured}
    read = f"{header}\n1,2,3,4\n".encode(stored).decode(configured, "surrogateescape")
    with pytest.raises(UserError) as refused:
        encoded(read, config.dataset.model_copy(update=changes))
    assert str(refused.value) == (
        f"rows.csv: is not {configured}, the dataset.encoding. If it is read as {named}, the header names "
        f"{header.replace(',', ', ')}{lacking}. Save the file as {configured}, or set dataset.encoding: {named} in a "
        "copy of the configuration"
    )


def test_names_that_are_not_read_are_shown_as_an_encoding_reads_them(config) -> None:
    read = "size,descripción\n".encode("cp1252").decode("UTF-8", "surrogateescape")
    with pytest.raises(UserError, match=r"names size, descripción; it lacks age, bmi, children"):
        encoded(read, config.dataset)


def test_a_wide_table_is_refused_in_few_words(config) -> None:
    wide = config.dataset.model_copy(update={"numeric": [f"column {number}" for number in range(2000)]})
    with pytest.raises(UserError, match=r"column 19 and 1983 more; or, .* and 1988 more") as refused:
        encoded("1,2,3\n", wide)
    assert len(str(refused.value)) < 1000


def test_a_first_row_with_a_bad_value_is_no_header(config) -> None:
    with pytest.raises(RowError, match="bmi is 'x'"):
        encoded(FEATURES.replace("27.9", "x"), config.dataset)


def test_a_column_of_thousands_of_values_is_encoded(config) -> None:
    values = [f"v{number}" for number in range(5000)]
    dataset = config.dataset.model_copy(update={"numeric": [], "categorical": categories(kind=values, b=["0", "1"])})
    (line,) = encoded("b,kind\n1,v4999\n", dataset)
    assert line == "0," * 4999 + "1,0,1"
