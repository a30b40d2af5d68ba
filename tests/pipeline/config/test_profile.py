"""What is counted in a file: as the configuration reads it, chunk by chunk, whatever the chunks are."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from folds.columns import Declared, FileColumns, Format
from folds.judge import Judge, Table
from folds.spans import Span
from folds.verdicts import Verdict

from pipeline.config import csv_rows
from pipeline.config import profile as profile_module
from pipeline.config.column_counts import MOST_COUNTED, Column
from pipeline.config.columns import DatasetSection
from pipeline.config.profile import Profile, profile, profile_as
from pipeline.config.roles import Role, roles_of
from pipeline.errors import UserError

ROWS = "19,male,1.5\n20,female,2\n"
SMALL = f"age,sex,cost\n{ROWS}"


@pytest.fixture
def looked_at(tmp_path: Path):
    """Return what looks at a file as a small configuration says."""

    def look(content: str | bytes, name: str = "rows.csv", **changes: Any) -> Profile:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        usual = {"label": "cost", "numeric": ["age"], "categorical": {"sex": ["male", "female"]}}
        return profile_as(path, DatasetSection.model_validate({"input": str(path), **usual, **changes}))

    return look


def column_of(*chunks: list[str], role: Role | None = None) -> Column:
    column = Column("x", role) if role else Column("x")
    for chunk in chunks:
        column.add(pd.Series(chunk, dtype="str"))
    return column


def test_roles_are_those_of_the_configuration() -> None:
    dataset = DatasetSection.model_validate(
        {
            "input": "x",
            "label": "y",
            "numeric": ["a"],
            "categorical": {"b": ["1"], "c": "auto"},
            "dates": {"d": ["year"]},
            "groups": "g",
        }
    )
    assert {name: role.name for name, role in roles_of(dataset).items()} == {
        "y": "label",
        "a": "numeric",
        "d": "date",
        "b": "categorical",
        "c": "categorical",
        "g": "group",
    }
    assert [roles_of(dataset)[name].values for name in "bc"] == [("1",), None]
    assert roles_of(dataset.model_copy(update={"groups": "a"}))["a"].name == "numeric"


@pytest.mark.parametrize(
    ("name", "packed"), [("r.csv", bytes), ("r.csv.gz", gzip.compress), ("r.csv.bz2", bz2.compress)]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_values_of_a_file_are_counted(looked_at, name, packed, mark) -> None:
    found = looked_at(packed(f"{mark}{SMALL}".encode()), name)
    age, sex, cost = found.columns
    assert (found.rows, found.refused, found.duplicates, found.misfits) == (2, 0, 0, 0)
    assert (age.name, age.numbers, age.lowest, age.highest, age.is_integer) == ("age", 2, 19, 20, True)
    assert (sex.counts, sex.numbers, sex.distinct) == ({"male": 1, "female": 1}, 0, 2)
    assert (cost.mean, cost.variance, cost.is_integer) == (1.75, 0.0625, False)


def test_a_file_without_a_header_has_the_declared_columns_and_perhaps_more(looked_at) -> None:
    found = looked_at("\ufeff1.5,19,male,x\n2,20,female,y\n", header=False)
    assert [column.name for column in found.columns] == ["cost", "age", "sex", "(column 4)"]
    assert (found.rows, found.refused) == (2, 0)
    assert found.columns[0].numbers == 2


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ("19,male,1.5", 0),
        ("19,other,1.5", 1),
        ("19,NA,1.5", 1),
        # Not among the default of dataset.missing_values, and no number either.
        ("none,male,1.5", 1),
        (",male,1.5", 1),
        ("inf,male,1.5", 1),
        ("19,male,", 1),
    ],
)
def test_a_row_that_the_roles_do_not_allow_is_refused_once(looked_at, row, refused) -> None:
    assert looked_at(f"{SMALL}{row}\n").refused == refused


def test_a_declared_value_is_not_missing(looked_at) -> None:
    found = looked_at("age,sex,cost\n1,none,1\n2,NA,2\n", categorical={"sex": ["none"]})
    assert (found.columns[1].missing, found.columns[1].counts, found.refused) == (1, {"none": 1}, 1)


def test_a_missing_value_is_refused_unless_it_is_treated(looked_at) -> None:
    text = "age,sex,cost\n-999,male,1\n5,male,2\n"
    plain = looked_at(text)
    assert (plain.columns[0].missing, plain.columns[0].lowest, plain.refused) == (0, -999, 0)
    strict = looked_at(text, missing_values=["-999"])
    assert (strict.columns[0].missing, strict.columns[0].lowest, strict.refused) == (1, 5, 1)
    treated = looked_at(text, missing_values=["-999"], missing={"age": "median"})
    assert (treated.columns[0].missing, treated.refused) == (1, 0)


def test_a_number_beside_decimal_commas_has_no_point(looked_at) -> None:
    found = looked_at("age;sex;cost\n1,5;male;2\n1.5;male;2\n", delimiter=";", decimal=",")
    assert (found.columns[0].numbers, found.columns[0].lowest, found.refused) == (1, 1.5, 1)


@pytest.mark.parametrize(
    ("content", "rows", "misfits", "first"),
    [
        (SMALL + "1,male,2,3\n" * 3, 2, 3, (4, 4)),
        (SMALL + "1,male\n", 2, 1, (4, 2)),
        ("age,sex,cost\n1,male\n" + ROWS, 2, 1, (2, 2)),
        ("age,sex,cost\n1,male,2,\n" + ROWS, 2, 1, (2, 4)),
        ("age,sex,cost\n" + "1,male,2,\n" * 3, 0, 3, (2, 4)),
        (SMALL.replace("\n", "\r\n") + '\r\n  \r\n3,"ma\r\nle",1\r\n3\r\n', 3, 1, (8, 1)),
        (SMALL.replace("\n", "\r") + "3,male\r", 2, 1, (4, 2)),
        (SMALL + '1,"male,2",3\n1,"a""b",2,"c"', 3, 1, (5, 4)),
        (SMALL + '"1","' + "x" * 200_000 + '","3"\n', 3, 0, None),
        (SMALL + "\n \n\n", 2, 0, None),
    ],
)
@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_rows_with_another_number_of_fields_are_told_apart(
    looked_at, monkeypatch, batch, content, rows, misfits, first
) -> None:
    monkeypatch.setattr(csv_rows, "_BATCH", batch)
    found = looked_at(content)
    assert (found.rows, found.misfits) == (rows, misfits)
    assert (found.first_misfit and (found.first_misfit.line, len(found.first_misfit.fields))) == first
    # MakeFolds judges the same lines.
    folds = FileColumns(Declared("cost", ["age"], {"sex": ["male"]}), ["age", "sex", "cost"])
    judge = Judge(Table(folds, Format(header=True, delimiter=",", encoding="UTF-8"), "age,sex,cost", by_column=False))
    span = Span(f"file://{found.path}", 0, found.path.stat().st_size, across_lines=True)
    rejected = [each for judged in judge.read(span) for each in judged.rejected]
    wrong = [each for each in rejected if each.verdict is Verdict.WRONG_COLUMNS]
    assert len(wrong) == misfits
    assert [each.line + 2 for each in wrong[:1]] == ([first[0]] if first else [])


def test_equal_rows_are_counted_in_all_pieces(looked_at, monkeypatch) -> None:
    text = SMALL + "".join(f"{n},male,{n}\n" for n in range(100)) + "20.0,female,2\n20,male,2\n20,female, 2\n"
    whole = looked_at(text)
    assert (whole.duplicates, whole.compared) == (2, 105)
    monkeypatch.setattr(csv_rows, "_BATCH", 7)
    monkeypatch.setattr(csv_rows, "_MOST_CELLS", 1)
    assert looked_at(text).duplicates == 2
    monkeypatch.setattr(profile_module, "_MOST_COMPARED", 50)
    assert (looked_at(text).duplicates, looked_at(text).compared) == (0, 50)


def test_bytes_in_another_encoding_are_read_all_the_same(looked_at) -> None:
    found = looked_at(SMALL.encode() + b"1,m\xe4le,1\n")
    assert not found.is_decoded
    assert found.columns[1].counts["m\ufffdle"] == 1
    assert looked_at(SMALL.encode() + b"1,m\xe4le,1\n", encoding="cp1252").columns[1].counts["mäle"] == 1


@pytest.mark.parametrize(
    ("text", "is_formatted"),
    [
        *((text, True) for text in ("64,454.19", "176.825,38", "1 234 567", "1'234.5", "1,234", "-1,234", "1.234.567")),
        *((text, True) for text in ("$44624.58", "-$5", "($1,234.50)", "€ 5", "12 €", "USD 5", "5.5 EUR", "0%", "1 %")),
        *((text, False) for text in ("12,3", "0,512", "1.5", "%", "$", "5 apples", "12345,678", "1.2.3", "2024-01-02")),
    ],
)
def test_numbers_with_signs_are_told_from_other_texts(text, is_formatted) -> None:
    found = column_of([text, "", text])
    assert (found.is_formatted, found.first_formatted) == (is_formatted, text if is_formatted else "")


def test_chunks_make_no_difference_to_a_column() -> None:
    random = np.random.default_rng(1)
    texts = [f"{number:.1f}" for number in random.normal(100, 5, 500)] + ["", "NA", "x", "1,5", "2024-01-31"]
    whole = column_of(texts)
    parts = column_of(*(texts[start : start + 37] for start in range(0, len(texts), 37)))
    for name in (
        "rows",
        "missing",
        "numbers",
        "decimal_commas",
        "formatted",
        "dates",
        "counts",
        "other",
        "lowest",
        "highest",
    ):
        assert getattr(whole, name) == getattr(parts, name)
    numbers = np.array([float(text) for text in texts[:500]])
    assert (whole.missing, whole.numbers, whole.decimal_commas, whole.dates, whole.other) == (2, 500, 1, 1, "x")
    for column in (whole, parts):
        assert column.mean == pytest.approx(numbers.mean())
        assert column.variance == pytest.approx(numbers.var())
        assert column.distinct == len(set(texts)) - 2
        assert np.median(column.sample.numbers) == np.median(numbers)


def test_many_values_are_estimated_in_bounded_memory() -> None:
    chunks = [[str(number) for number in range(start, start + 20_000)] for start in range(0, 200_000, 20_000)]
    column = column_of(*chunks)
    assert not column.is_distinct_exact
    assert column.distinct == pytest.approx(200_000, rel=0.05)
    assert not column.is_counted
    assert len(column.counts) == MOST_COUNTED + 1
    assert not column.sample.is_complete
    assert 10_000 < len(column.sample.numbers) <= 50_000
    # The order of the file must not decide what is in the sample.
    assert np.median(column.sample.numbers) == pytest.approx(100_000, rel=0.05)
    assert (column.lowest, column.highest) == (0, 199_999)


def test_numbers_as_categories_are_texts() -> None:
    assert column_of(["1", "1.0", "01"], role=Role("categorical")).distinct == 3
    assert column_of(["1", "1.0", "01"]).distinct == 1


@pytest.mark.parametrize("look", [profile, lambda path: profile_as(path, DatasetSection(input="x", label="cost"))])
@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv.bz2"])
def test_a_damaged_archive_is_a_sentence(tmp_path: Path, look, name) -> None:
    pack = gzip.compress if name.endswith("gz") else bz2.compress
    content = pack("".join(f"{n},{n * 7919 % 1013}\n" for n in range(200_000)).encode())
    damaged = bytearray(content)
    damaged[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    for number, broken in enumerate((content[: len(content) // 2], bytes(damaged), b"no archive")):
        path = tmp_path / f"{number}{name}"
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"cannot be read"):
            look(path)
