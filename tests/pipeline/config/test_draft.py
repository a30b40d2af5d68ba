"""Drafting a configuration: what is found in a file, what is left out and why, and that the draft is valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.draft import draft
from pipeline.config.draft_names import name_beside, pipeline_name
from pipeline.config.loading import load_config
from pipeline.config.profile import profile, profile_as
from pipeline.config.stop_reasons import stop_reasons
from pipeline.config.target import target_of
from pipeline.errors import UserError


def table(rows: int = 60, /, **columns: Any) -> str:
    """Return a CSV text. A column is a function of the row's number, or one value."""
    names = list(columns)
    lines = [",".join(names)]
    for number in range(rows):
        lines.append(",".join(str(one(number) if callable(one) else one) for one in columns.values()))
    return "\n".join(lines) + "\n"


USUAL: dict[str, Any] = {
    "size": lambda n: n * 7 % 23,
    "city": lambda n: ["Oslo", "no", "1"][n % 3],
    "price": lambda n: n * 13 % 17,
}


@pytest.fixture
def drafted(tmp_path):
    """Return the draft of a text, as text and as loaded."""

    def write(
        text: str | bytes, label: str = "price", name: str = "my houses.csv", algorithm: str = "linear-learner"
    ) -> tuple[str, Any]:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        read = profile(path)
        found = draft(read, target_of(read, label), algorithm)
        target = tmp_path / "new.yaml"
        target.write_text(found)
        return found, load_config(target)

    return write


def values(config) -> dict[str, list[str]]:
    return {name: category.values for name, category in config.dataset.categorical.items()}


def test_the_columns_and_their_values_are_found(drafted) -> None:
    _, config = drafted(table(**USUAL))
    assert config.dataset.label == "price"
    assert config.dataset.numeric == ["size"]
    assert values(config) == {"city": ["1", "Oslo", "no"]}
    assert (config.dataset.delimiter, config.dataset.encoding) == (",", "UTF-8")
    assert config.folds.on_bad_rows == "fail"


def test_names_and_limits_are_of_the_file(drafted) -> None:
    text, config = drafted(table(**USUAL))
    assert config.pipeline.name == config.registry.group == config.deploy.endpoint_name == "my-houses"
    values = [n * 13 % 17 for n in range(60)]
    mean = sum(values) / 60
    assert f"error is {sum((value - mean) ** 2 for value in values) / 60:.4g}" in text
    assert config.quality.max_mse is None


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (lambda n: n + 1, "a number of the rows"),
        (lambda n: f"2024-{n % 30 + 1}-01", "dates such as '2024-1-01': give dataset.dates their format"),
        (lambda n: f"remark {n}", "text with 60 values in 60 rows"),
        (lambda n: f"kind {n % 30}", "text with 30 values in 60 rows"),
        (lambda n: "" if n % 5 < 3 else n, "60% of its values are missing"),
        (lambda n: "" if n % 5 else 1, "80% of its values are missing"),
        (lambda n: "" if n % 5 < 2 else 1, "has one value, and missing ones"),
        ("same", "constant"),
        (7, "constant"),
        (lambda n: f'"{n % 9},{n % 7}"', "numbers with a decimal comma, and other columns have decimal points"),
    ],
)
def test_what_cannot_be_used_is_ignored_with_the_reason(drafted, column, reason) -> None:
    others = USUAL | {"weight": lambda n: n % 19 + 0.5, "height": lambda n: n % 29 + 0.5}
    text, config = drafted(table(extra=column, **others))
    assert f'    - "extra"    # {reason}\n' in text
    assert config.dataset.ignored == ["extra"]
    assert "extra" not in config.dataset.sources


def test_a_column_without_a_name_is_a_comment(drafted) -> None:
    text, config = drafted(table(**{"": lambda n: n + 1, **USUAL}))
    assert '# left out: "": has no name' in text
    assert config.dataset.ignored is None


def test_a_counter_is_told_by_its_name_or_by_steps_of_one(drafted) -> None:
    _, config = drafted(table(customer_id=lambda n: 3 * n + n % 2, grows=lambda n: 3 * n + n % 2, **USUAL))
    assert config.dataset.ignored == ["customer_id"]
    assert "grows" in config.dataset.numeric


def test_missing_values_are_filled_and_rows_without_a_label_dropped(drafted) -> None:
    columns = {
        "size": lambda n: "NA" if n % 10 == 0 else n * 7 % 23,
        "age": lambda n: "-" if n == 3 else n % 11,
        "city": lambda n: "" if n % 15 == 1 else "ab"[n % 2],
        "price": lambda n: "nan" if n % 20 == 2 else n % 17,
    }
    text, config = drafted(table(**columns))
    dataset = config.dataset
    assert dataset.missing == {"price": "drop", "size": "median", "age": "median", "city": "most_frequent"}
    assert '"size": median    # 6 of 60' in text
    assert dataset.missing_indicators == ["size", "city"]
    assert dataset.missing_values[-1] == "-"
    assert values(config) == {"city": ["a", "b"]}
    assert config.folds.on_bad_rows == "fail"


@pytest.mark.parametrize(
    "mark", ["n/d", "S/D", "ND", "sin dato", "<NA>", "#N/A", "#N/D", "#¡DIV/0!", "#DIV/0!", "#REF!"]
)
def test_marks_of_missing_values_among_numbers_are_missing(drafted, mark) -> None:
    columns = USUAL | {
        "area": lambda n: mark if n == 7 else n * 0.5,
        "rooms": lambda n: mark if n % 4 == 1 else n % 9,
        "sold": lambda n: mark if n == 9 else f"2024-0{n % 9 + 1}-01",
        "city": lambda n: [mark, "no", "1"][n % 3],
    }
    text, config = drafted(table(**columns))
    dataset = config.dataset
    assert dataset.numeric == ["size", "area", "rooms"]
    assert f"- \"area\"    # 59 of 60 are numbers; '{mark}' (1 row) is taken as missing: check that" in text
    assert f"# 59 of 60 are dates; '{mark}' (1 row) is taken as missing: check that" in text
    assert dataset.missing == {"area": "median", "rooms": "median", "sold": "most_frequent"}
    assert dataset.missing_values[-1] == mark
    # A category's value stays one: MakeFolds takes a listed value for itself.
    assert values(config) == {"city": sorted([mark, "no", "1"])}
    found = profile_as(Path(dataset.input), dataset)
    assert (found.bad, list(stop_reasons(found, config))) == (0, [])


def test_unknown_texts_among_numbers_are_missing_with_a_question(drafted) -> None:
    text, config = drafted(table(**USUAL | {"rooms": lambda n: "pending" if n in (7, 8) else n % 9}))
    assert config.dataset.numeric == ["size", "rooms"]
    assert "# 58 of 60 are numbers; 'pending' (2 rows) is taken as missing: right?" in text


@pytest.mark.parametrize(
    ("column", "remark"),
    [
        (
            lambda n: f"n{n}" if n % 50 == 1 else n * 0.5,
            "588 of 600 are numbers, others are texts such as 'n1': right?",
        ),
        (
            lambda n: "2024-01-01" if n == 7 else n * 0.5,
            "599 of 600 are numbers, others are texts such as '2024-01-01'",
        ),
        (lambda n: "none of it" if n % 10 == 1 else n * 0.5, "540 of 600 are numbers, others are texts such as"),
    ],
)
def test_many_texts_among_numbers_are_left_out_with_their_number(drafted, column, remark) -> None:
    text, config = drafted(table(600, **USUAL | {"area": column}))
    assert config.dataset.ignored == ["area"]
    assert f'- "area"    # {remark}' in text


def test_numbers_in_another_notation_are_missing_with_a_hint(drafted) -> None:
    text, _ = drafted(table(**USUAL | {"area": lambda n: '"1,234.5"' if n == 7 else n * 0.5}))
    assert "59 of 60 are numbers; '1,234.5' (1 row) is taken as missing: right? Numbers must be written alike" in text


def test_two_values_of_which_one_is_a_number_are_a_category(drafted) -> None:
    _, config = drafted(table(**USUAL | {"garage": lambda n: "closed" if n == 7 else 0}))
    assert values(config)["garage"] == ["0", "closed"]


def test_a_mark_is_missing_in_a_column_whose_values_are_found(drafted) -> None:
    columns = USUAL | {
        "area": lambda n: "n/d" if n == 7 else n * 0.5,
        "street": lambda n: "n/d" if n % 40 == 3 else f"street {n % 55}",
    }
    _, config = drafted(table(1500, **columns))
    assert config.dataset.missing == {"area": "median", "street": "most_frequent"}
    found = profile_as(Path(config.dataset.input), config.dataset)
    assert (found.bad, list(stop_reasons(found, config))) == (0, [])


def test_a_label_that_is_a_mark_drops_its_row_and_says_so(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: "s/d" if n == 7 else "free" if n == 8 else n}))
    assert config.dataset.missing == {"price": "drop"}
    assert "# price: 59 of 60 are numbers; 's/d' (1 row) is taken as missing: check that." in " ".join(text.split())
    assert "# 1 row has another number of fields, a label that is not valid" in text


@pytest.mark.parametrize(
    ("prices", "sentence"),
    [
        ({7: 99_999_999}, "1 label is 538 times the median: 99999999 in line 9. Right?"),
        ({7: 99_999_999, 8: 50_000_000}, "2 labels are at least 269 times the median: 99999999 in line 9, 50000000 in"),
        ({7: -5_000_000}, "1 label is far from all others: -5000000 in line 9. Right?"),
    ],
)
def test_a_handful_of_extreme_labels_is_named_and_no_logarithm_is_suggested(drafted, prices, sentence) -> None:
    def price(n: int) -> int:
        return prices.get(n, 150_000 + n * 7919 % 73_000)

    text, _ = drafted(table(300, **USUAL | {"price": price}))
    assert f"# {sentence}" in text
    assert "label_transform" not in text


def test_labels_of_a_long_tail_are_not_extreme(drafted) -> None:
    text, _ = drafted(table(300, **USUAL | {"price": lambda n: round(10 * 1.03 ** (n * 7 % 300))}))
    assert "line " not in text
    assert "# label_transform: log1p" in text


@pytest.mark.parametrize(
    "form",
    ["{} de marzo de 20{}", "{} marzo 20{}", "{} de Enero del 20{}", "martes, {} de ago. de 20{}", "{}-dic-{}"],
)
def test_dates_with_names_of_months_are_left_out_with_what_to_write(drafted, form) -> None:
    text, config = drafted(table(**USUAL | {"sold": lambda n: f'"{form.format(n % 28 + 1, n % 13 + 10)}"'}))
    assert config.dataset.ignored == ["sold"]
    remark = f"dates with names of months, such as {form.format(1, 10)!r}: write them as 2022-03-28 in the file"
    assert f'- "sold"    # {remark}' in text


def test_months_of_years_are_a_category_with_what_to_write(drafted) -> None:
    text, config = drafted(table(**USUAL | {"sold": lambda n: ["ene-22", "sept. 2022"][n % 2]}))
    assert values(config)["sold"] == ["ene-22", "sept. 2022"]
    assert "such as 'ene-22': write them as 2022-03-28 in the file" in text


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (lambda n: f"{n % 28 + 1} March 2022", "%d %B %Y"),
        (lambda n: f'"Mar {n % 28 + 1}, 20{n % 13 + 10}"', "%b %d, %Y"),
        (lambda n: f"{n % 28 + 1}-Mar-20{n % 13 + 10}", "%d-%b-%Y"),
    ],
)
def test_dates_with_english_names_of_months_are_dates(drafted, dates, form) -> None:
    _, config = drafted(table(**USUAL | {"sold": dates}))
    assert config.dataset.dates["sold"].format == form
    found = profile_as(Path(config.dataset.input), config.dataset)
    assert (found.bad, list(stop_reasons(found, config))) == (0, [])


def test_words_with_numbers_are_no_dates(drafted) -> None:
    text, _ = drafted(table(**USUAL | {"street": lambda n: f"marzo {n} sur"}))
    assert "names of months" not in text


def test_a_header_that_is_repeated_is_set_aside(drafted) -> None:
    text = table(**USUAL | {"id": lambda n: n + 1})
    header, *rows = text.splitlines(keepends=True)
    found, config = drafted("".join([header, *rows[:20], header, *rows[20:], header]))
    assert config.dataset.numeric == ["size"]
    assert values(config) == {"city": ["1", "Oslo", "no"]}
    assert '- "id"    # a number of the rows' in found
    assert "# The header is repeated in lines 22, 63. MakeFolds writes such rows to rejected/" in found
    assert config.folds.on_bad_rows == "quarantine"
    read = profile_as(Path(config.dataset.input), config.dataset)
    assert (read.bad, list(stop_reasons(read, config))) == (2, [])


def test_rows_that_cannot_be_used_are_counted_and_set_aside(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: "free" if n % 20 == 2 else n % 17}) + "1,2,3,4\n")
    assert "4 rows have another number of fields, a label that is not valid" in text
    assert config.folds.on_bad_rows == "quarantine"
    assert 4 / 61 <= config.folds.max_bad_share < 5 / 61


@pytest.mark.parametrize("price", ["free", "1.5", "1.234,5", "1_000", "inf"])
def test_no_row_stops_a_draft(drafted, price) -> None:
    rows = [f"{n * 7 % 23};{n * 13 % 17},25" for n in range(60)]
    _, config = drafted("\n".join(["size;price", *rows, f"1;{price}", f"2;{price}"]))
    assert config.dataset.decimal == ","
    found = profile_as(Path(config.dataset.input), config.dataset)
    assert (found.bad, list(stop_reasons(found, config))) == (2, [])


def test_a_name_may_be_a_number(drafted) -> None:
    text = table(**USUAL)
    _, config = drafted(text.replace("size", "2019", 1))
    assert config.dataset.numeric == ["2019"]


def test_rows_without_a_label_do_not_count_in_the_share(drafted) -> None:
    price = {"price": lambda n: "free" if n % 20 == 2 else "" if n % 3 == 1 else n % 17}
    _, config = drafted(table(**USUAL | price))
    assert 3 / 41 <= config.folds.max_bad_share < 4 / 41


@pytest.mark.parametrize("misfit", ["1,Oslo", "1,Oslo,2,3"])
def test_a_row_with_another_number_of_fields_has_no_missing_value(drafted, misfit) -> None:
    first, rest = table(**USUAL).split("\n", 1)
    text, config = drafted(f"{first}\n{misfit}\n{rest}")
    assert "# 1 row has another number of fields" in text
    assert (config.dataset.missing, config.folds.on_bad_rows) == ({}, "quarantine")
    assert 1 / 61 <= config.folds.max_bad_share < 2 / 61


@pytest.mark.parametrize(
    ("written", "form", "parts"),
    [
        (lambda n: f"20{n % 20 + 10}-{n % 12 + 1:02}-05", None, ["year", "month", "weekday"]),
        (lambda n: f"2024-01-05T{n % 24:02}:00", None, ["hour"]),
        (lambda n: f"{n % 28 + 1:02}.01.2024", "%d.%m.%Y", ["weekday"]),
        (lambda n: f"{n % 12 + 1}/{n % 28 + 1}/2024", "%m/%d/%Y", ["month", "weekday"]),
        (lambda n: f"{n % 28 + 1}/{n % 12 + 1}/2024", "%d/%m/%Y", ["month", "weekday"]),
    ],
)
def test_dates_become_the_parts_that_differ(drafted, written, form, parts) -> None:
    text, config = drafted(table(sold=written, **USUAL))
    assert config.dataset.dates["sold"].model_dump() == {"parts": parts, "format": form}
    assert "day or month first?" not in text


def test_dates_that_may_be_read_in_two_ways_are_a_question(drafted) -> None:
    text, config = drafted(table(sold=lambda n: f"{n % 12 + 1:02}/{n % 7 + 1:02}/2024", **USUAL))
    assert config.dataset.dates["sold"].format == "%d/%m/%Y"
    assert "# day or month first? No date tells" in text


def test_rare_values_share_a_feature(drafted) -> None:
    towns = {"town": lambda n: ["A", "B", f"village {n}"][n % 3]}
    text, config = drafted(table(90, **USUAL | towns))
    town = config.dataset.categorical["town"]
    assert (town.values, town.other, town.min_frequency, town.max_categories) == ([], True, 10, 50)
    assert "# 32 values" in text


def test_decimal_commas_are_found(drafted) -> None:
    text = table(**USUAL | {"weight": lambda n: f"{n % 19}.5", "price": lambda n: f"{n * 13 % 17}.25"})
    _, config = drafted(text.replace(",", ";").replace(".", ","))
    assert (config.dataset.delimiter, config.dataset.decimal) == (";", ",")
    assert config.dataset.numeric == ["size", "weight"]


@pytest.mark.parametrize(
    ("cost", "use"),
    [
        (lambda n: f'"{n + 60},{n * 7 % 900 + 100}.19"', "ignored"),
        # Beside commas as delimiters, this is no decimal comma.
        (lambda n: f'"{n + 1},{n * 7 % 900 + 100}"', "ignored"),
        (lambda n: f"{n}" if n % 3 else f'"1,{n + 100}"', "ignored"),
        (lambda n: f"{n % 3}%", "categorical"),
    ],
)
def test_numbers_with_signs_are_named(drafted, cost, use) -> None:
    text, config = drafted(table(**USUAL | {"cost": cost}))
    assert '"cost": [' in text if use == "categorical" else '- "cost"' in text
    assert "cost" in getattr(config.dataset, use)
    assert config.dataset.decimal == "."
    (line,) = [line for line in text.splitlines() if '"cost"' in line]
    assert "# numbers with a thousands separator, or with a currency or percent sign, such as " in line


def test_classes_with_signs_are_a_question(drafted, tmp_path: Path) -> None:
    text, _ = drafted(table(**USUAL | {"price": lambda n: f"{n % 3}%"}))
    assert "They look like numbers with a thousands separator" in text


def test_a_skewed_label_is_a_suggestion(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: 2 ** (n * 7 % 20)}))
    assert "# label_transform: log1p    # the label has a long tail" in text
    assert config.dataset.label_transform is None


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["yes", "yes", "no"], ["no", "yes"]),
        (["No", "other", "No"], ["No", "other"]),
        (["TRUE", "TRUE", "FALSE"], ["FALSE", "TRUE"]),
        ([1, 1, 0], ["0", "1"]),
        ([1, -1, 1], ["-1", "1"]),
        ([2, 1, 1], ["1", "2"]),
        (["benign", "malignant", "benign"], ["benign", "malignant"]),
        (["b", "a", "b"], ["b", "a"]),
        (["none", "mild", "none"], ["none", "mild"]),
        (["0.50", "1.5", "1.5"], ["0.50", "1.5"]),
    ],
)
def test_two_values_are_classes_with_the_positive_one_last(drafted, values, classes) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: values[n % 3]}))
    assert (config.training.problem, config.dataset.classes) == ("binary", classes)
    assert config.tuning.objective == "validation:objective_loss"
    assert f"whose probability is predicted: {classes[1]}." in text
    assert "whose log loss is 0.6365" in text
    assert config.dataset.missing == {}


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["low", "high", "middle"], ["high", "low", "middle"]),
        ([0, 1, 2], ["0", "1", "2"]),
        ([10, 2, 1], ["1", "2", "10"]),
    ],
)
def test_few_texts_or_integers_are_several_classes(drafted, values, classes) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: values[n % 3]}))
    assert (config.training.problem, config.dataset.classes) == ("multiclass", classes)
    assert ("If they are amounts" in text) == isinstance(values[0], int)


@pytest.mark.parametrize("values", [range(7), ["0.1", "0.2", "0.3"], ["1", "1.0", "2"]])
def test_other_numbers_are_amounts(drafted, values) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: values[n % len(values)]}))
    assert (config.training.problem, config.dataset.classes) == ("regression", None)
    assert ("different integers, which are read as amounts" in text) == ("0.1" not in values)
    assert "objective" not in yaml.safe_load(text).get("tuning", {})


def test_a_rare_class_lowers_the_number_of_folds(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: "yes" if n < 3 else "no"}))
    assert config.folds.count == 3
    assert "# Too few rows of a class for 5 folds: 'yes' (3 rows). Merge or drop it, or get more rows?" in text


def test_a_class_of_one_row_does_not_lower_the_number_of_folds(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: "yes" if n < 1 else "no"}))
    assert config.folds.count == 5
    assert "# Too few rows of a class for 5 folds: 'yes' (1 row). Merge or drop it, or get more rows?" in text


def test_rows_of_no_class_are_set_aside(drafted) -> None:
    price = {"price": lambda n: "free" if n % 20 == 2 else "" if n == 3 else n % 2}
    text, config = drafted(table(**USUAL | price))
    assert config.dataset.classes == ["0", "1"]
    assert config.dataset.missing == {"price": "drop"}
    assert "# 3 rows have another number of fields, a label that is not valid" in text
    assert config.folds.on_bad_rows == "quarantine"


def test_the_algorithm_is_written(drafted) -> None:
    text, config = drafted(table(**USUAL | {"price": lambda n: n % 2}), algorithm="xgboost")
    assert (config.training.algorithm, config.tuning.objective) == ("xgboost", "validation:logloss")
    assert "# Others: auc," in text
    _, config = drafted(table(**USUAL), algorithm="xgboost")
    assert (config.training.algorithm, config.tuning.objective) == ("xgboost", "validation:mse")


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "UTF-8"), ("\t", "cp1252"), ("|", "cp1252")])
def test_delimiter_and_encoding_are_found(drafted, delimiter, encoding) -> None:
    text = table(**USUAL | {"city": lambda n: ["Köln", "São Paulo"][n % 2]}).replace(",", delimiter)
    _, config = drafted(text.encode(encoding))
    assert (config.dataset.delimiter, config.dataset.encoding) == (delimiter, encoding)
    assert values(config) == {"city": ["Köln", "São Paulo"]}


def test_names_and_values_are_quoted_so_that_yaml_reads_text(drafted) -> None:
    columns = {"on": USUAL["size"], "a: #b": lambda n: ["yes", "1e3x"][n % 2], "price": USUAL["price"]}
    text, config = drafted(table(**columns))
    assert config.dataset.numeric == ["on"]
    assert values(config) == {"a: #b": ["1e3x", "yes"]}
    assert yaml.safe_load(text)["dataset"]["label"] == "price"


@pytest.mark.parametrize(
    ("text", "label", "sentence"),
    [
        (table(**USUAL), "cost", "has no column 'cost'. It has: size, city, price"),
        (table(remark=lambda n: f"x{n % 13}", **USUAL), "remark", r"remark holds text with 13 values \(x0, x1, x2"),
        (table(**USUAL | {"price": 3}), "price", "has the same value in every row"),
        (table(8, **USUAL), "price", "8 usable rows are too few"),
        (table(price=USUAL["price"], note=lambda n: f"x{n}"), "price", "no column besides price can be used"),
        ("1,2,3\n4,5,6\n", "price", "its first line holds numbers and no names"),
        ("1,Oslo,3\n4,no,6\n", "price", "has no column 'price'. It has: 1, Oslo, 3. Is its first line a row"),
        ("a,a,price\n1,2,3\n", "price", "the header names 'a' twice"),
        ('a,"new\nline",price\n1,2,3\n', "price", "the header has a line break within quotes, in 'new.nline': remove"),
        (
            table(**USUAL | {"price": lambda n: f"${n * 7919}.5"}),
            "price",
            r"price holds numbers with a thousands separator, or .* percent sign, such as '\$0.5': write",
        ),
        ("a,price\n", "price", "has a header and no rows: add rows, or choose another file"),
        ("a,price\n" + "1,2,\n" * 30, "price", "no row has 2 fields, as the header has. Line 2, for example, has 3"),
        ("", "price", "is empty: is it the right file"),
        ("\n" + table(**USUAL), "price", "its first line is blank"),
        ("sep=;\n" + table(**USUAL).replace(",", ";"), "price", "its first line, sep=;, is for Excel only: remove it"),
        (table(**USUAL).encode("utf-16"), "price", "is UTF-16, which is not supported: save it as UTF-8"),
        (table(**USUAL).encode("utf-16-be"), "price", "is UTF-16, which is not supported: save it as UTF-8"),
        (table(**USUAL) + "1,\x00,3\n", "price", "holds NUL bytes, so it is no text: save it as CSV in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_drafted_is_a_sentence(drafted, text, label, sentence) -> None:
    with pytest.raises(UserError, match=sentence):
        drafted(text, label)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no\.csv: cannot be read: No such file"):
        profile(tmp_path / "no.csv")


def test_another_label_of_a_file_has_a_pipeline_of_its_own(drafted, tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("pipeline: [")
    drafted(table(**USUAL))
    _, config = drafted(table(**USUAL), algorithm="xgboost")
    assert config.pipeline.name == "my-houses"
    text, config = drafted(table(**USUAL), "city")
    assert config.pipeline.name == "my-houses-city"
    assert "# Not my-houses, the name of new.yaml's pipeline: the runs of one would replace" in text


def test_a_name_with_a_label_is_valid_and_not_taken(tmp_path: Path) -> None:
    data, label = Path("x" * 40 + ".csv"), "Precio de venta (miles de euros)"
    names = []
    for number in range(3):
        name, _ = name_beside(tmp_path, data, label)
        names.append(name)
        taken = {"pipeline": {"name": name}, "dataset": {"input": "other.csv", "label": "price"}}
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(taken))
    assert names == ["x" * 32, "x" * 16 + "-precio-de-venta", "x" * 14 + "-precio-de-venta-2"]
    assert all(len(name) <= 32 for name in names)


@pytest.mark.parametrize(
    ("stem", "name"), [("Häuser 2024 (neu)", "hauser-2024-neu"), ("_", "table"), ("x" * 40, "x" * 32)]
)
def test_a_pipelines_name_is_made_from_the_files(stem, name) -> None:
    assert pipeline_name(stem) == name
