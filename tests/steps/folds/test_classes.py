"""Labels that are classes: their numbers in the folds, stratified folds, and labels that are no class."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from folds.errors import FoldError
from folds.plain import leading_classes, line_ends

KINDS = ["setosa", "versicolor", "virginica"]


def table(*counts: tuple[str, int]) -> str:
    """Rows of the given labels, mixed; the second column is the row's number."""
    labels = [label for label, count in counts for _ in range(count)]
    order = np.random.RandomState(1).permutation(len(labels)).tolist()
    return "".join(f"{labels[place]},{number},0.5\n" for number, place in enumerate(order))


def labels_of(lines: list[str]) -> Counter[str]:
    return Counter(line.partition(",")[0] for line in lines)


def multiclass(**more: Any) -> dict[str, Any]:
    return {"problem": "multiclass", "classes": KINDS, **more}


def test_labels_become_the_places_of_their_classes_and_rows_keep_their_features(fold) -> None:
    text = table(("virginica", 5), ("setosa", 7), ("versicolor", 6))
    made = fold(text, count=3, **multiclass())
    expected = sorted(
        f"{KINDS.index(label)},{rest}" for label, _, rest in (line.partition(",") for line in text.splitlines())
    )
    assert sorted(line for test in made.tests() for line in test) == expected


@pytest.mark.parametrize("classes", [["no", "yes"], ["0", "1"], ["1", "0"]])
def test_each_fold_has_each_classs_rows_as_evenly_as_possible(fold, classes) -> None:
    made = fold(table((classes[0], 53), (classes[1], 11)), count=4, problem="binary", classes=classes)
    found = [labels_of(test) for test in made.tests()]
    assert {counts["0"] for counts in found} == {13, 14}
    assert {counts["1"] for counts in found} == {2, 3}
    assert {sum(counts.values()) for counts in found} == {16}
    report = made.report
    assert (report["problem"], report["classes"], report["class_rows"]) == ("binary", classes, [53, 11])
    assert [entry["class_rows"] for entry in report["folds"]] == [[counts["0"], counts["1"]] for counts in found]
    assert report["warnings"] == []


def test_a_regression_has_no_classes_in_its_report(fold) -> None:
    report = fold("1,2,3\n2,3,4\n", count=2).report
    assert (report["problem"], report["classes"], report["class_rows"]) == ("regression", None, None)
    assert "class_rows" not in report["folds"][0]


@pytest.mark.slow
@pytest.mark.parametrize("classes", [["no", "yes"], ["0", "1"]])
def test_spark_and_any_cut_of_the_input_make_the_same_folds(fold, fold_by_spark, monkeypatch, classes) -> None:
    text, given = table((classes[0], 900), (classes[1], 300)), {"count": 3, "problem": "binary", "classes": classes}
    whole = [sorted(test) for test in fold(text, **given).tests()]
    assert [sorted(test) for test in fold_by_spark(text, **given).tests()] == whole
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 100)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)
    assert [sorted(test) for test in fold(text, **given).tests()] == whole


def test_the_same_rows_are_dealt_alike_whatever_the_classes_are_called(fold) -> None:
    # Numbers are written as they are read; other texts are replaced, a row at a time.
    numbers, texts = table(("0", 40), ("1", 20), ("2", 9)), table(*zip(KINDS, (40, 20, 9), strict=True))
    plain = fold(numbers, problem="multiclass", classes=["0", "1", "2"])
    assert plain.tests() == fold(texts, **multiclass()).tests()


@pytest.mark.parametrize(
    ("label", "reason", "words"),
    [
        ("maybe", "unknown_class", "label that is not among dataset.classes"),
        ("2", "unknown_class", "label that is not among dataset.classes"),
        ("1.0", "unknown_class", "label that is not among dataset.classes"),
        ("", "missing_value", "missing value"),
    ],
)
@pytest.mark.parametrize("classes", [["no", "yes"], ["0", "1"]])
def test_a_label_that_is_no_class_is_a_bad_row_that_names_it(fold, classes, label, reason, words) -> None:
    text = table((classes[0], 8), (classes[1], 8)) + f"{label},1,2\n"
    given = {"count": 2, "problem": "binary", "classes": classes}
    with pytest.raises(FoldError, match=rf"line 17: {words}: '{label},1,2' \(column 'y': '{label}'\)"):
        fold(text, **given)
    report = fold(text, on_bad_rows="quarantine", max_bad_share=0.5, **given).report
    assert {name: count for name, count in report["rejected"]["by_reason"].items() if count} == {reason: 1}
    assert report["class_rows"] == [8, 8]


def test_a_text_for_missing_values_can_be_a_class(fold) -> None:
    given = {"problem": "binary", "classes": ["NA", "yes"], "missing": {"y": "drop"}}
    made = fold(table(("NA", 6), ("yes", 6), ("", 3)), count=2, **given)
    assert made.report["class_rows"] == [6, 6]
    assert made.report["dropped"]["total"] == 3


def test_quoted_labels_and_categories_are_read_too(fold) -> None:
    rows = "".join(
        f'"{("no, thanks", "yes")[number % 2]}",{number},{("a", "b")[number % 3 % 2]}\n' for number in range(12)
    )
    made = fold(
        rows,
        count=2,
        problem="binary",
        classes=["no, thanks", "yes"],
        header=False,
        label="y",
        numeric=["x"],
        categorical={"kind": ["a", "b"]},
    )
    assert labels_of([line for test in made.tests() for line in test]) == {"0": 6, "1": 6}


def test_a_class_with_fewer_rows_than_folds_is_warned_of_as_scikit_learn_does(fold) -> None:
    made = fold(table(("setosa", 20), ("versicolor", 20), ("virginica", 3)), count=5, **multiclass())
    assert [sum(entry["class_rows"]) for entry in made.report["folds"]] == [9, 9, 9, 8, 8]
    [warning] = made.report["warnings"]
    assert "has no row of the class 'virginica', which has 3 rows in all, and there is 1 more such gap:" in warning
    assert warning.endswith(": lower folds.count, merge or drop this class, or get more rows")


@pytest.mark.parametrize("count", [2, 5])
def test_fewer_folds_are_no_advice_for_a_class_of_one_row(fold, count) -> None:
    made = fold(table(("setosa", 20), ("versicolor", 20), ("virginica", 1)), count=count, **multiclass())
    [warning] = made.report["warnings"]
    assert warning.endswith(": merge or drop this class, or get more rows")


@pytest.mark.parametrize(
    ("rows", "count", "advice"), [(4, 5, "lower folds.count"), (1, 2, "merge classes, or get more rows")]
)
def test_every_class_with_fewer_rows_than_folds_is_an_error_as_in_scikit_learn(fold, rows, count, advice) -> None:
    with pytest.raises(FoldError, match=f"every class has fewer rows than {count} folds: {advice}"):
        fold(table(("setosa", rows), ("versicolor", rows), ("virginica", 1)), count=count, **multiclass())


def test_a_class_without_rows_is_an_error(fold) -> None:
    with pytest.raises(FoldError, match="no row has the class 'versicolor': remove it from dataset"):
        fold(table(("setosa", 9), ("virginica", 9)), count=2, **multiclass())


def test_groups_stay_together_and_their_classes_are_counted(fold) -> None:
    rows = "".join(f"{KINDS[number % 3]},{number},{number // 6}\n" for number in range(60))
    made = fold(rows, count=5, header=False, label="y", numeric=["x"], groups="g", **multiclass())
    assert made.report["class_rows"] == [20, 20, 20]
    assert sum(sum(entry["class_rows"]) for entry in made.report["folds"]) == 60


def test_folds_in_the_order_of_the_file_are_not_stratified_and_a_gap_is_warned_of(fold) -> None:
    rows = "".join(f"{KINDS[number // 10]},{number},1\n" for number in range(30))
    made = fold(rows, count=3, shuffle=False, **multiclass())
    assert [entry["class_rows"] for entry in made.report["folds"]] == [[10, 0, 0], [0, 10, 0], [0, 0, 10]]
    assert "follow the order of the file are not stratified" in made.report["warnings"][0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"problem": "binary"}, "dataset.classes has 0 values: training.problem binary needs two values"),
        ({"problem": "binary", "classes": KINDS}, "has 3 values: training.problem binary needs two"),
        ({"problem": "multiclass", "classes": ["a", "b"]}, "multiclass needs 3 to 1000 values"),
        ({"problem": "regression", "classes": KINDS}, "dataset.classes is for classification"),
        ({"problem": "multiclass", "classes": ["a", "b", "a"]}, "dataset.classes: the value 'a' is listed twice"),
        ({"problem": "multiclass", "classes": ["a", " b", "c"]}, "dataset.classes: a value is empty or has blanks"),
        ({**multiclass(), "label_transform": "log1p"}, "dataset.label_transform is for regression"),
        ({**multiclass(), "stratify": 4}, "folds.stratify is for regression"),
        ({"problem": "ranking"}, "training.problem: 'ranking' is not one of regression, binary, multiclass"),
    ],
)
def test_options_that_do_not_fit_the_problem_are_refused(fold, given, message) -> None:
    with pytest.raises(FoldError, match=message):
        fold(table(("a", 9), ("b", 9)), **given)


@pytest.mark.parametrize(
    ("block", "classes", "expected"),
    [
        (b"0,5\n2,6\n", 3, [0, 2]),
        (b"0,5\n3,6\n", 3, None),
        (b"0,5\n-1,6\n", 3, None),
        (b"10,5\n", 12, None),
        (b"1.0,5\n", 3, None),
    ],
)
def test_leading_classes_are_found_or_none(block, classes, expected) -> None:
    found = leading_classes(block, line_ends(block), classes)
    assert (None if found is None else found.tolist()) == expected
