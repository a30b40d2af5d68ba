"""make predict makes the features that MakeFolds made of the same raw rows."""

from __future__ import annotations

import csv
import io
import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from folds.options import read_options
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from make_folds import make_folds

from pipeline.config.columns import DatasetSection
from pipeline.config.loading import parse_config
from pipeline.config.models import Config
from pipeline.definition.fold_options import fold_options
from pipeline.errors import UserError
from pipeline.operate.configured_columns import differences
from pipeline.operate.encoding import RowEncoder, layout_of
from pipeline.operate.features import RowError
from pipeline.operate.model_columns import ModelColumns

DATASET = {
    "input": "rows.csv",
    "delimiter": ";",
    "decimal": ",",
    "label": "price",
    "label_transform": "log1p",
    "numeric": ["area", "rooms"],
    "dates": {
        "sold": ["year", "month", "weekday", "day_of_year", "days"],
        "built": {"parts": ["day", "hour"], "format": "%d.%m.%Y %Hh"},
    },
    "categorical": {
        "city": {"values": "auto", "other": True, "min_frequency": 2},
        "heating": ["gas", "oil", "NA"],
        "kind": {"values": ["x"], "other": True},
    },
    "missing": {"area": "median", "rooms": "drop", "sold": "most_frequent", "heating": "most_frequent", "kind": "drop"},
    "missing_indicators": ["area", "sold", "heating"],
}
NAMES = ["price", "area", "rooms", "sold", "built", "city", "heating", "kind"]
MISSING = ["", "NA", "?"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1,5", "0", "2e2"]),
        st.sampled_from(["1", " 2,5", "-3e1", *MISSING]),
        st.sampled_from(["1", "2", "3", ""]),
        st.sampled_from(["2024-02-29", "2023-01-01", "1969-12-31", *MISSING]),
        st.sampled_from(["29.02.2024 13h", "01.01.1970 00h"]),
        st.sampled_from(["Rome", " Oslo ", "Bern", "Köln", '"a;b"', "other"]),
        st.sampled_from(["gas", "oil", "NA", "?", ""]),
        st.sampled_from(["x", "y", "z", "null"]),
    ),
    min_size=8,
    max_size=25,
)


def config_of(dataset: dict[str, Any]) -> Config:
    return parse_config({"pipeline": {"name": "houses"}, "dataset": dataset, "folds": {"count": 2}}, "config.yaml")


def folded(config: Config, text: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """folds.json and the features of all rows."""
    (folder / "rows.csv").write_text(text, "utf-8")
    (folder / "options.json").write_bytes(fold_options(config))
    places = ["--input", (folder / "rows.csv").as_uri(), "--output", (folder / "folds").as_uri()]
    options = read_options([*places, "--options", str(folder / "options.json")])
    make_folds(options, lambda work, items: [work(item) for item in items])
    rows = [line for file in (folder / "folds").glob("vc*/test/*") for line in file.read_text().splitlines()]
    return json.loads((folder / "folds" / "folds.json").read_text()), [row.partition(",")[2] for row in rows]


def encoded(dataset: DatasetSection, columns: ModelColumns, text: str) -> list[str]:
    """The features of the rows that can be predicted."""
    lines = text.splitlines()
    layout = layout_of("rows.csv", lines[0], columns, dataset)
    encoder, found = RowEncoder(layout, columns), []
    for row in csv.reader(io.StringIO("\n".join(lines[1:])), delimiter=layout.delimiter):
        with suppress(RowError):
            found.append(encoder.encode(row))
    return found


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_features_are_those_of_the_folds(tmp_path, rows) -> None:
    kept = [row for row in rows if row[2] and row[7] != "null"]
    cities = [row[5].strip() for row in kept]
    assume(len(kept) >= 2 and any(cities.count(city) > 1 for city in cities))
    assume(any(row[1] not in MISSING for row in kept) and any(row[3] not in MISSING for row in kept))
    assume(any(row[6] in ("gas", "oil", "NA") for row in kept))
    text = "\n".join([";".join(NAMES), *(";".join(row) for row in rows)]) + "\n"
    config = config_of(DATASET)
    report, features = folded(config, text, tmp_path)
    columns = ModelColumns.of_report(report, "the model package")
    assert differences(config.dataset, columns) == []
    assert sorted(encoded(config.dataset, columns, text)) == sorted(features)
    assert len(features[0].split(",")) == report["feature_dim"] == len(report["columns"]["features"])


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("area", "1.234,5", "area is '1.234,5': a number with a decimal comma is expected"),
        ("rooms", "", "rooms is missing, and the model has not been trained on rows without it"),
        ("sold", "29.02.2024", "sold is '29.02.2024': a date as YYYY-MM-DD is expected"),
        ("built", "2024-02-29", "built is '2024-02-29': a date as %d.%m.%Y %Hh is expected"),
        (
            "heating",
            "le\udcf1a",
            "heating is 'leña' if it is read as cp1252, and not text in dataset.encoding: one of gas",
        ),
        ("area", "\udcb25", "area is '²5' if it is read as cp1252, and not text in dataset.encoding: a number with"),
        ("heating", "\udc81", r"heating is '\udc81' if it is read as cp1252, and not text in dataset.encoding: one of"),
        ("heating", "wood", "heating is 'wood': one of gas, oil, NA is expected"),
        ("city", "", "city is missing, and the model has not been trained on rows without it"),
    ],
)
def test_a_value_that_has_no_features_is_named(tmp_path, field, value, sentence) -> None:
    good = ["1", "2", "3", "2024-01-01", "01.01.2024 00h", "Rome", "gas", "x"]
    text = "\n".join([";".join(NAMES), *[";".join(good)] * 4])
    config = config_of(DATASET)
    columns = ModelColumns.of_report(folded(config, text, tmp_path)[0], "the model package")
    layout = layout_of("rows.csv", ";".join(NAMES), columns, config.dataset)
    row = [value if name == field else own for name, own in zip(NAMES, good, strict=True)]
    with pytest.raises(RowError) as caught:
        RowEncoder(layout, columns).encode(row)
    assert str(caught.value).startswith(sentence)


def test_the_labels_transform_is_undone(tmp_path) -> None:
    columns = ModelColumns.of_report(folded(config_of(DATASET), _text(), tmp_path)[0], "the model package")
    assert columns.in_label_units(math.log1p(1234.5)) == pytest.approx(1234.5)
    with pytest.raises(UserError, match="no finite number"):
        columns.in_label_units(1000.0)


def test_a_configuration_alone_does_not_tell_what_is_learned() -> None:
    plain = config_of({"input": "rows.csv", "label": "y", "numeric": ["a"], "categorical": {"c": ["x"]}})
    columns = ModelColumns.of_dataset(plain.dataset)
    assert columns is not None
    assert columns.features == plain.dataset.features == ["a", "c_x"]
    assert ModelColumns.of_dataset(config_of(DATASET).dataset) is None


@pytest.mark.parametrize("fault", [{"preparation": {"numeric": ["area"]}}, {"feature_dim": 3}, {"preparation": {}}])
def test_a_record_that_does_not_agree_with_itself_is_refused(tmp_path, fault) -> None:
    report = folded(config_of(DATASET), _text(), tmp_path)[0]
    with pytest.raises(ValueError, match=r"do not follow|Field required"):
        ModelColumns.of_report({**report, **fault}, "the model package")


def _text() -> str:
    row = "1;2;3;2024-01-01;01.01.2024 00h;Rome;gas;x"
    return "\n".join([";".join(NAMES), *[row] * 4])
