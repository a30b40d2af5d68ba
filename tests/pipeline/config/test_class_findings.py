"""What is worth a look in a label with classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.choices import drafted_roles
from pipeline.config.findings import findings
from pipeline.config.profile import profile
from pipeline.config.roles import Role
from tests.pipeline.config.test_draft import table

SIZE: dict[str, Any] = {"size": lambda n: n * 7 % 23}


@pytest.fixture
def found(tmp_path: Path):
    """Return what finds the findings of a table, whose label ``kind`` has the classes a and b."""

    def find(rows: int, kind: Any, classes: tuple[str, ...] | None = ("a", "b"), **columns: Any) -> str:
        path = tmp_path / "rows.csv"
        path.write_text(table(rows, **SIZE, **columns, kind=kind))
        read = profile(path)
        roles = drafted_roles(read) | {"kind": Role("label", values=classes)}
        columns_with_roles = [replace(column, role=roles[column.name]) for column in read.columns]
        return "\n".join(findings(replace(read, columns=columns_with_roles), roles, None))

    return find


def test_balanced_classes_with_enough_rows_are_no_finding(found) -> None:
    assert found(200, lambda n: "ab"[n % 2]) == ""


def test_rare_classes_are_told(found) -> None:
    told = found(200, lambda n: "b" if n < 40 else "a")
    assert told == "Classes with fewer than ten rows for each of the 5 folds: 'b' (40)."
    assert "Classes with fewer rows than the 5 folds, of which some then have none: 'b' (4). Merge or drop" in found(
        200, lambda n: "b" if n < 4 else "a"
    )


def test_one_frequent_class_is_told(found) -> None:
    assert "95% of the rows have the class 'a'." in found(2000, lambda n: "b" if n % 20 == 0 else "a")
    assert found(2000, lambda n: "b" if n % 8 == 0 else "a") == ""


def test_values_and_classes_that_do_not_match_are_told(found) -> None:
    told = found(200, lambda n: "ax"[n % 2])
    assert "Values of kind that dataset.classes does not list, with their rows: 'x' (100)." in told
    assert "Classes without a row, for which MakeFolds stops: 'b'." in told


def test_a_number_with_two_values_may_be_classes(found) -> None:
    assert "kind has two values only. Are they classes?" in found(200, lambda n: n % 2, None)
    assert found(200, lambda n: n % 3, None) == ""


@pytest.mark.parametrize(
    ("column", "is_told"),
    [
        (lambda n: n % 7 + 100 * (n % 2), True),
        (lambda n: n % 7 + 6 * (n % 2), False),
        (lambda n: "" if n % 10 == 0 else n % 7 + 100 * (n % 2), True),
        (lambda n: ["u", "v"][n % 2] + "xy"[n % 4 // 2], True),
        (lambda n: "v" if n == 0 else ["u", "v"][n % 2], False),
        (lambda n: "uv"[n % 3 // 2], False),
    ],
)
def test_a_column_that_tells_the_class_of_every_row_is_told(found, column, is_told) -> None:
    told = found(200, lambda n: "ab"[n % 2], leak=column)
    assert ("Each of these tells every row's class without an error: leak." in told) == is_told


def test_more_than_two_classes_must_all_be_told(found) -> None:
    classes = ("a", "b", "c")
    assert "error: leak." in found(300, lambda n: "abc"[n % 3], classes, leak=lambda n: n % 3 + 0.5)
    assert "error" not in found(300, lambda n: "abc"[n % 3], classes, leak=lambda n: min(n % 3, 1))


def test_with_few_rows_a_column_may_tell_all_classes_by_chance(found) -> None:
    assert "error" not in found(18, lambda n: "ab"[n % 2], leak=lambda n: n % 2 + 0.5)
