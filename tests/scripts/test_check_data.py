"""``make check-data``: what does not fit, and a page of at most 80 columns about the file."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.cells import cell_len

from tests.commands import ROOT, run_command

ROWS = "".join(f"{20 + n % 40},{'ab'[n % 2]},{(n * 37 % 101) ** 2 + 1}\n" for n in range(200))
GOOD = f"size,kind,price\n{ROWS}"


@pytest.fixture
def check(tmp_path: Path):
    """Return what runs the command, and checks that no line is too wide."""

    def run(width: int = 80, **options: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        finished = run_command("check_data", inherited | {"COLUMNS": str(width)} | options)
        too_wide = [line for line in finished.stdout.splitlines() if cell_len(line) > min(width, 80)]
        assert too_wide == []
        return finished

    return run


@pytest.fixture
def checked(check, tmp_path: Path):
    """Return the output for a file and a configuration that is made for it."""

    def run(content: str | bytes, name: str = "rows.csv", folds: dict[str, Any] | None = None, **dataset: Any):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        usual = {"input": str(path), "label": "price", "numeric": ["size"], "categorical": {"kind": ["a", "b"]}}
        training = dataset.pop("training", {})
        document = {"pipeline": {"name": "rows"}, "dataset": {**usual, **dataset}, "folds": folds or {}}
        document["training"] = training
        (tmp_path / "rows.yaml").write_text(yaml.safe_dump(document))
        return check(CONFIG=str(tmp_path / "rows.yaml"))

    return run


def words(text: str) -> str:
    """Return a text without the line breaks of its layout."""
    return " ".join(text.split())


def row_of(finished: subprocess.CompletedProcess[str], column: str) -> list[str]:
    (row,) = [line for line in finished.stdout.splitlines() if line.split()[:1] == [column]]
    return row.split()


def test_the_projects_own_data_has_a_page(check) -> None:
    finished = check()
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "data/insurance.csv\n1338 rows, 7 columns, 54.3 kB" in finished.stdout
    assert "1 row equals an earlier one in every column (<1%)." in finished.stdout
    assert row_of(finished, "age") == ["age", "numeric", "integer", "0", "47", "18", "/", "39", "/", "64"]
    assert row_of(finished, "sex") == ["sex", "categorical", "text", "0", "2", "male", "51%,", "female", "49%"]
    assert row_of(finished, "charges")[:5] == ["charges", "label", "number", "0", "1337"]
    page = words(finished.stdout)
    assert "The label charges mean 13,270, standard deviation 12,105, skewness 1.5" in page
    assert "dataset.label_transform: log1p may help: the logarithms have the skewness -0.1." in page
    assert finished.stdout.count("█") > 40
    assert "Worth a look" not in page


def test_the_command_imports_no_sdk_of_aws_for_sagemaker() -> None:
    code = "import sys, scripts.check_data; print([name for name in sys.modules if name.split('.')[0] == 'sagemaker'])"
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


@pytest.mark.parametrize(
    ("content", "dataset", "fault"),
    [
        (GOOD.replace("size", "SIZE", 1), {}, "dataset.numeric: the header of rows.csv has no column 'size'; did you"),
        (GOOD, {"groups": "house"}, "dataset.groups: the header of rows.csv has no column 'house'. It has: size"),
        (GOOD.replace("kind", "size", 1), {}, "dataset.numeric: the header of rows.csv names the column 'size' twice"),
        (GOOD.replace(",", ";"), {}, "dataset.delimiter: the first line of rows.csv has one field with ',': ';'?"),
        (GOOD.encode() + b"20,\xe4,1\n", {}, "dataset.encoding: rows.csv, line 202: is not UTF-8"),
        (ROWS, {"header": False, "numeric": []}, "dataset.header: the first line of rows.csv has 3 fields, and 2"),
        ("1,2,3\n" * 30, {}, "dataset.header: the first line of rows.csv holds numbers and no names"),
        ("size,kind,price\n", {}, "folds.count: 5 folds need as many rows, and rows.csv has 0"),
        ("size,kind,price\n20,a,1\n", {}, "folds.count: 5 folds need as many rows, and rows.csv has 1"),
    ],
)
def test_what_does_not_fit_is_told_before_the_page(checked, tmp_path: Path, content, dataset, fault) -> None:
    finished = checked(content, **dataset)
    assert finished.returncode == 1
    assert fault in words(finished.stderr).replace(f"{tmp_path}/", "")
    assert "rows.csv" in "".join(finished.stdout.split())  # a long path is folded
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("content", "name", "fault"),
    [
        ("", "rows.csv", "rows.csv is empty"),
        (b"no archive", "rows.csv.gz", "rows.csv.gz cannot be read"),
        ("\n" + GOOD, "rows.csv", "rows.csv is blank: remove it from the file"),
        (
            GOOD + '"20,a,1\n',
            "rows.csv",
            "rows.csv: a quote is not closed. Its row begins in line 202",
        ),
        (gzip.compress(GOOD.encode(), mtime=0)[:60], "rows.csv.gz", "rows.csv.gz cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_no_page(checked, content, name, fault) -> None:
    finished = checked(content, name)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.count("rows.csv") == 1
    assert fault in words(finished.stderr)


def test_a_compressed_file_has_a_page(checked) -> None:
    finished = checked(gzip.compress(GOOD.encode()), "rows.csv.gz")
    assert finished.returncode == 0
    assert "200 rows, 3 columns" in words(finished.stdout)
    assert "compressed" in finished.stdout


@pytest.mark.parametrize("delimiter", ["\t", "|", "§"])
def test_another_delimiter_has_a_page(checked, delimiter) -> None:
    finished = checked(GOOD.replace(",", delimiter) + "20\n", delimiter=delimiter)
    assert finished.returncode == 1
    assert "200 rows, 3 columns" in words(finished.stdout)
    assert "which are not counted above: 1. Line 202 has 1 field in 3 columns." in words(finished.stdout)


@pytest.mark.filterwarnings("error:.*:RuntimeWarning:numpy")
def test_numbers_near_the_largest_have_a_page(checked) -> None:
    finished = checked(GOOD + "20,a,1e308\n20,a,-1e308\n")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert row_of(finished, "price")[-5:] == ["-1e+308", "/", "2501", "/", "1e+308"]


def test_one_row_has_a_page(check, checked, tmp_path: Path) -> None:
    finished = checked("size,kind,price\n20,a,1\n")
    assert "1 row, 3 columns" in finished.stdout
    (tmp_path / "one.csv").write_text("size\n1\n2\n")
    assert "2 rows, 1 column," in check(DATA=str(tmp_path / "one.csv")).stdout
    assert row_of(finished, "price")[-5:] == ["1", "/", "1", "/", "1"]


def test_values_that_do_not_fit_are_named(checked) -> None:
    finished = checked(GOOD + "x,a,1\n20,c,1\n20,,1\n20,a,5,6\n", categorical={"kind": ["a", "b", "d"]})
    assert finished.returncode == 1
    assert words(finished.stderr) == (
        "folds.on_bad_rows: 4 of 204 rows have a missing, unreadable or undeclared value, or a wrong number of fields. "
        "The first of them stops MakeFolds. Correct them, or set them aside with folds.on_bad_rows: quarantine"
    )
    page = words(finished.stdout)
    assert "MakeFolds" not in page
    assert (
        "Rows with too few or too many fields, which are not counted above: 1. Line 205 has 4 fields in 3 columns."
        in page
    )
    assert "Values that are not numbers: size (1, for example 'x')." in page
    assert "Values that dataset.categorical does not declare, with their rows: kind: 'c' (1)." in page
    assert "Values that are declared, and not in the file: kind: 'd'." in page
    assert "Rare values, in under 1% or under 10 of the rows: kind: 'c' (1)." in page
    assert row_of(finished, "kind")[3:5] == ["1", "(<1%)"]


def test_rows_that_are_set_aside_are_compared_with_the_share(checked) -> None:
    folds = {"on_bad_rows": "quarantine", "max_bad_share": 0.1}
    few = checked(GOOD + "x,a,1\n", folds=folds)
    assert (few.returncode, few.stderr) == (0, "")
    assert "1 of 201 rows has a missing, unreadable or undeclared value" in words(few.stdout)
    assert "MakeFolds sets them aside, in rejected/." in words(few.stdout)
    many = checked(GOOD + "x,a,1\n" * 50, folds=folds)
    assert many.returncode == 1
    assert "folds.max_bad_share: 50 of 250 rows have" in words(many.stderr)
    assert "That is 20.000%, and 10.000% may be set aside: MakeFolds would stop." in words(many.stderr)


def test_a_larger_share_is_given_only_if_it_is_needed(checked) -> None:
    finished = checked(GOOD + "x,a,1\n" * 50)
    assert finished.returncode == 1
    assert words(finished.stderr).endswith("folds.on_bad_rows: quarantine and folds.max_bad_share: 0.2")


def test_rows_that_are_dropped_are_not_judged(checked) -> None:
    finished = checked(GOOD + "x,a,\n,a,\n", missing={"price": "drop"})
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_class_without_a_row_is_told_of_a_large_file_too(checked) -> None:
    content = "size,price\n" + "".join(f"{'9' * 3000},{n % 2}\n" for n in range(400))
    classes = {"categorical": {}, "classes": ["0", "1", "2"]}
    finished = checked(content, **classes, training={"problem": "multiclass"})
    assert finished.returncode == 1
    assert "dataset.classes: no row has the class '2': remove or correct it" in words(finished.stderr)


def test_columns_that_the_configuration_prepares_are_read_as_it_says(checked) -> None:
    dataset = {
        "delimiter": ";",
        "decimal": ",",
        "label_transform": "log1p",
        "numeric": ["size"],
        "dates": {"sold": {"parts": ["year"], "format": "%d.%m.%Y"}},
        "categorical": {"kind": {"values": ["a"], "other": True}},
        "missing": {"size": "median"},
    }
    good = "price;sold;kind;size\n" + "".join(
        f"{n},5;{n % 28 + 1:02}.01.2024;{'abc'[n % 3]};{'NA' if n % 9 == 0 else n}\n" for n in range(60)
    )
    finished = checked(good, **dataset)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert row_of(finished, "price")[1:3] == ["label", "number"]
    assert row_of(finished, "sold")[1:3] == ["date", "date"]
    assert row_of(finished, "size")[1:5] == ["numeric", "integer", "7", "(12%)"]
    assert "Worth a look" not in finished.stdout
    assert "log1p may help" not in words(finished.stdout)
    finished = checked(good + "1.5;x;a;1\n-2;01.01.2024;a;1\n", **dataset)
    assert "2 of 62 rows have a missing, unreadable or undeclared value" in words(finished.stderr)
    bad = words(finished.stdout)
    assert "Values that are not numbers: price (1, for example '1.5')." in bad
    assert "Values that are no dates in the declared format: sold (1, for example 'x')." in bad
    assert "The label has values of -1 or less, for which there is no log1p." in bad


def test_columns_that_are_of_little_use_are_named(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f'{n},k{n},2024-01-{n % 28 + 1:02},"{n},5",same,{n % 7},' for n in range(100)]
    path.write_text("customer_id,code,day,money,fixed,price,nothing\n" + "\n".join(lines) + "\n")
    finished = check(DATA=str(path), LABEL="price")
    assert finished.returncode == 0
    page = words(finished.stdout)
    assert "There is no configuration: the roles are those that make init would choose." in page
    assert "Different in nearly every row, as identifiers are: customer_id, code." in page
    assert "with a header, with decimal commas." in page
    assert "Constant: fixed." in page
    assert "Without any value: nothing." in page
    assert row_of(finished, "day")[:3] == ["day", "date", "date"]
    assert "Dates, for which there is" not in page
    assert row_of(finished, "money")[:3] == ["money", "numeric", "number"]
    # A label of few values has a bar for each.
    assert "█" in page
    assert " 15%" in page


def test_numbers_with_signs_are_no_identifiers(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,price\n" + "".join(f'"{n + 64},454.{n + 10}",{n % 7}\n' for n in range(60)))
    page = words(check(DATA=str(path), LABEL="price").stdout)
    assert "sign; write them without it in the file: a ('64,454.10')." in page
    assert "identifiers" not in page


def test_texts_among_numbers_are_named_and_are_no_identifiers(check, checked, tmp_path: Path) -> None:
    header, *rows = [f"{n * 1.5},{'ab'[n % 2]},{n * 37 % 101}\n" for n in range(200)]
    content = "".join(["size,kind,price\n", header, "n/d,a,5\n", "size,kind,price\n", *rows])
    found = checked(content, folds={"on_bad_rows": "quarantine"})
    page = words(found.stdout)
    strays = "size (200 of 201 are numbers; 'n/d' (1 row))"
    assert f"if the rest is missing: dataset.missing_values, dataset.missing: {strays}." in page
    assert "The header is repeated in line 4. - 2 of 202 rows have" in page
    assert "2 of 202 rows have a missing, unreadable or undeclared value" in page
    page = words(check(DATA=str(tmp_path / "rows.csv"), LABEL="price").stdout)
    assert f"the rest is taken as missing: check that: {strays}." in page
    assert "The header is repeated in line 4: delete it there, or set such rows aside" in page
    assert "identifiers" not in page


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        (lambda n: f'"{n + 64}.{n + 100},83"', "LABEL: price holds numbers with a thousands separator"),
        (lambda n: f"house {n}", "LABEL: price holds text with 60 values"),
        (lambda n: 7, "LABEL: price has the same value in every row"),
    ],
)
def test_a_label_that_cannot_be_predicted_is_told_after_the_page(check, tmp_path: Path, label, fault) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,price\n" + "".join(f"{n % 7},{label(n)}\n" for n in range(60)))
    finished = check(DATA=str(path), LABEL="price")
    assert finished.returncode == 1
    assert words(finished.stderr).startswith(fault)
    assert "60 rows, 2 columns" in words(finished.stdout)


def test_a_file_without_rows_has_a_page(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,price\n")
    finished = check(DATA=str(path), LABEL="price")
    assert finished.returncode == 1
    assert "rows.csv: has a header and no rows" in words(finished.stderr)
    assert "0 rows, 2 columns" in words(finished.stdout)


def test_columns_that_texts_keep_from_being_numbers_are_named_and_are_no_identifiers(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{f'n{n}' if n % 9 == 4 else n * 1.5},{n * 37 % 101}\n" for n in range(200))
    path.write_text(f"size,price\n{rows}")
    page = words(check(DATA=str(path), LABEL="price").stdout)
    assert "Unused for the texts among the numbers; correct them: size (178 of 200, others such as 'n4')." in page
    assert "identifiers" not in page


def test_a_file_can_be_looked_at_before_the_label_is_known(check) -> None:
    finished = check(DATA="data/insurance.csv")
    assert finished.returncode == 0
    assert row_of(finished, "charges")[1] == "numeric"
    assert "The label" not in finished.stdout


def test_a_first_line_that_may_be_a_row_is_named(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    page = words(check(DATA=str(path)).stdout)
    assert "Columns with numbers for names, 20, 1: if the first line is a row, add a header." in page


def test_groups_that_are_too_few_are_told(checked) -> None:
    finished = checked(GOOD, groups="kind")
    assert finished.returncode == 1
    assert "folds.count: kind has 2 groups: too few for 5 folds" in words(finished.stderr)


def test_a_wide_table_is_cut_and_the_label_stays(check, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [*(f"x{n}" for n in range(299)), "price"]
    path.write_text("\n".join([",".join(names), *(",".join(str(n * m % 7) for m in range(300)) for n in range(30))]))
    finished = check(DATA=str(path), LABEL="price")
    assert finished.returncode == 0
    assert "and 280 more columns: " in finished.stdout
    assert row_of(finished, "price")[1] == "label"
    assert len(finished.stdout.splitlines()) < 60


@pytest.mark.parametrize("width", [200, 80, 40])
def test_long_and_wide_names_and_values_fit(check, tmp_path: Path, width) -> None:
    path = tmp_path / f"{'長い' * 20}.csv"
    header = f"{'数' * 60},{'x' * 200},price\n"
    rows = [f"{'値' * (n % 3 + 50)},{'v' * 300}{n % 2},{1.5**n}" for n in range(40)]
    path.write_text(header + "\n".join(rows) + "\n")
    finished = check(width=width, DATA=str(path), LABEL="price")
    assert (finished.returncode, finished.stderr) == (0, "")


def test_the_highest_number_is_not_cut(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f"{'' if n % 3 == 0 else 30.23 + n},{1e8 + n * 37.5:.1f},{n % 7}\n" for n in range(200))
    path.write_text(f"superficie_construida,identificador,price\n{rows}")
    page = words(check(DATA=str(path), LABEL="price").stdout)
    assert "31.23 / 130.2 / 229.2" in page
    assert "100,000,000 / 100,003,731 / 100,007,462" in page


def test_control_characters_reach_no_terminal(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f'\x1b[2Jvalue{n % 2},"a\nb\tc",{n}\n' for n in range(40))
    path.write_text(f"\x1b]0;title\x07,[bold]two,price\n{rows}")
    finished = check(DATA=str(path), LABEL="price")
    assert finished.returncode == 0
    assert not set("\x1b\x07\t") & set(finished.stdout)
    assert "\\x1b[2Jvalue" in finished.stdout
    assert "a\\nb\\tc" in finished.stdout
    assert "[bold]two" in finished.stdout


def test_another_file_is_compared_with_the_configuration_that_is_named(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(GOOD)
    finished = check(DATA=str(path), CONFIG="config.yaml")
    assert finished.returncode == 1
    assert "dataset.label" in finished.stderr
    assert row_of(finished, "size")[1] == "ignored"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"DATA": "nowhere.csv"}, "DATA: File 'nowhere.csv' does not exist."),
        ({"DATA": "nowhere.csv", "CONFIG": "config.yaml"}, "DATA: File 'nowhere.csv' does not exist."),
        ({"DATA": "data/insurance.csv", "LABEL": "cost"}, "LABEL: data/insurance.csv has no column 'cost'"),
        ({"LABEL": "charges"}, "LABEL: the configuration names the label."),
    ],
)
def test_options_that_cannot_be_used_are_a_sentence(check, options, sentence) -> None:
    finished = check(**options)
    assert finished.returncode in (1, 2)
    assert finished.stdout == ""
    assert sentence in words(finished.stderr)


def test_an_input_in_s3_is_a_sentence(check, tmp_path: Path) -> None:
    path = tmp_path / "s3.yaml"
    path.write_text((ROOT / "config.yaml").read_text().replace("data/insurance.csv", "s3://bucket/rows.csv"))
    finished = check(CONFIG=str(path))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "s3://bucket/rows.csv is in S3, and only local files are looked at. Download it" in words(finished.stderr)


def test_a_label_with_classes_has_their_balance_instead_of_a_histogram(check, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("size,kind\n" + "".join(f"{n % 40},{'no' if n % 4 else 'yes'}\n" for n in range(200)))
    finished = check(DATA=str(path), LABEL="kind")
    page = words(finished.stdout)
    assert row_of(finished, "kind")[:5] == ["kind", "label", "text", "0", "2"]
    assert "2 classes in the order of dataset.classes; the positive one is 'yes'" in page
    assert row_of(finished, "no")[1::2] == ["150", "75%"]
    assert "Always predicting these shares has the log loss 0.5623" in page
    assert "always predicting the most frequent class has the accuracy 0.75." in page
    assert "skewness" not in page
