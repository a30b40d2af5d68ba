"""What becomes of rows that cannot be used, and of files that are not as declared."""

from __future__ import annotations

import gzip
import json
from functools import partial

import pytest
from folds.columns import Declared, Format, without_header
from folds.errors import FoldError
from folds.judge import Judge, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.steps.folds.numbers import fields, is_number

GOOD = "".join(f"{number},{number}.5,2\n" for number in range(20))
RAW = {"label": "y", "numeric": ["a"], "categorical": {"kind": ["red", "green"]}, "header": True}


def raw(*rows: str, header: str = "a,kind,y") -> str:
    return "\n".join([header, *(f"{number},red,{number}" for number in range(10)), *rows, ""])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2", "wrong number of columns"),
        ("1,2,3,4", "wrong number of columns"),
        ("1,,3", "missing value"),
        (" ,2,3", "missing value"),
        ("1,NaN,3", "missing value"),
        ("1,2,-inf", "NaN, infinity or too large a number"),
        ("null,2,3", "missing value"),
        ("1,2,1e999", "NaN, infinity or too large a number"),
        ("1,2," + "9" * 400, "NaN, infinity or too large a number"),
        ("1,2,three", "not a number"),
        ("1,2,1.2.3", "not a number"),
        ("1,2,0x10", "not a number"),
        ("1,2,1_000", "not a number"),
        ("1,2,.", "not a number"),
        ("1,2,\u0663", "not a number"),
        ("\udcff,2,3", "not text in the declared encoding"),
    ],
)
def test_a_row_that_cannot_be_used_stops_the_job_and_is_shown(fold, row, reason) -> None:
    content = (GOOD + row + "\n").encode(errors="surrogateescape")
    with pytest.raises(FoldError) as caught:
        fold({"rows.csv": content})
    assert f"1 of 21 rows cannot be used: 1 {reason}" in str(caught.value)
    assert f"rows.csv, line 21: {reason}: " in str(caught.value)


def test_an_undeclared_category_stops_the_job_and_is_shown(fold) -> None:
    with pytest.raises(FoldError, match="line 12: category that is not declared: '1,blue,2'"):
        fold(raw("1,blue,2"), **RAW)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=fields, beside=st.sampled_from(["", "x,2\n", "\n", "1,5.\n"]))
def test_a_field_is_a_number_if_and_only_if_it_is_one_to_python(text, beside) -> None:
    judge = Judge(Table(without_header(Declared("y", ["a"])), Format(False, ",", "UTF-8"), None, by_column=False))
    others = judge.judge(beside.encode()).rows if beside else 0
    assert judge.judge(f"1,{text}\n{beside}".encode()).rows - others == is_number(text)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1,2", "wrong number of columns: '1,2' (2 fields in 3 columns)"),
        ("1,red,2,3", "wrong number of columns: '1,red,2,3' (4 fields in 3 columns)"),
        ("1,red, two ", "not a number: '1,red, two ' (column 'y': 'two')"),
        (",red,2", "missing value: ',red,2' (column 'a': '')"),
        ("1,red,inf", "NaN, infinity or too large a number: '1,red,inf' (column 'y': 'inf')"),
        ('1,"bl""ue",2', "category that is not declared: '1,\"bl\"\"ue\",2' (column 'kind': 'bl\"ue')"),
    ],
)
def test_a_message_names_the_column_and_quotes_the_line_as_it_stands_in_the_file(fold, row, expected) -> None:
    with pytest.raises(FoldError) as caught:
        fold(raw(row), **RAW)
    assert caught.value.sentence.startswith(f"rows.csv, line 12: {expected}. 1 of 11 rows cannot be used: 1 ")
    assert caught.value.sentence.endswith(", or set folds.on_bad_rows to quarantine")


def test_a_bad_line_below_line_breaks_in_quotes_has_its_own_number(fold) -> None:
    text = 'y,a,remark\n1,2,"one\ntwo\nthree"\n1,2\n3,4,x\nx,2,"a\nb"\n' + "5,6,x\n" * 9
    with pytest.raises(FoldError) as caught:
        fold(text, label="y", numeric=["a"])
    assert "rows.csv, line 5: wrong number of columns: '1,2' (2 fields in 3 columns)" in str(caught.value)
    assert "rows.csv, line 7: not a number: 'x,2,\"a\\nb\"' (column 'y': 'x')" in str(caught.value)


def test_a_quote_that_is_never_closed_is_named_by_the_line_that_opens_it(fold) -> None:
    text = "y,a,remark\n" + "1,2,x\n" * 9 + '3,"4,x\n' + "5,6,x\n" * 5
    with pytest.raises(FoldError, match=r"line 11: wrong number of columns: '3,\"4,x.* \(2 fields in 3 columns\)"):
        fold(text, label="y", numeric=["a"])


def test_a_damaged_archive_is_named(fold) -> None:
    whole = gzip.compress(("1,2,3\n" * 9999).encode())
    with pytest.raises(FoldError, match=r"2\.csv\.gz is damaged"):
        fold({"1.csv": GOOD, "2.csv.gz": whole[: len(whole) // 2]})
    with pytest.raises(FoldError, match=r"2\.csv\.zst is compressed in a form that is not read: use \.gz or \.bz2"):
        fold({"1.csv": GOOD, "2.csv.zst": b"x"})


def test_the_first_ten_offenders_are_shown_in_the_order_of_files_and_lines(fold) -> None:
    files = {f"{name}.csv": GOOD + "\n".join(f"{name},1,{number}" for number in range(8)) for name in "ba"}
    with pytest.raises(FoldError) as caught:
        fold(files)
    shown = [line.strip() for line in str(caught.value).splitlines() if ".csv, line" in line]
    assert "16 of 56 rows cannot be used: 16 not a number" in str(caught.value)
    assert [line.partition(": ")[0].rpartition("/")[2] for line in shown] == [
        *(f"a.csv, line {number}" for number in range(21, 29)),
        *(f"b.csv, line {number}" for number in range(21, 23)),
    ]


def test_lines_are_counted_over_blank_lines_and_over_the_pieces_of_a_file(fold, monkeypatch) -> None:
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 1)
    rows = [f"{number},1,2\n" for number in range(400)]
    rows[10] = "\n"
    rows[333] = "bad,1,2\n"
    with pytest.raises(FoldError, match=r"rows\.csv, line 334: not a number: 'bad,1,2'"):
        fold("".join(rows))


def test_nothing_is_written_and_earlier_folds_stay_when_rows_cannot_be_used(fold) -> None:
    made = fold(GOOD)
    before = made.names(), made.tests()
    with pytest.raises(FoldError):
        fold(GOOD + "1,2\n", output=made.folder)
    assert (made.names(), made.tests()) == before


def test_quarantined_rows_are_set_aside_with_their_place_and_reason(fold) -> None:
    rows = raw("1,blue,2", "1,red", "1,red,x", "5,green,7")
    made = fold(rows, **RAW, on_bad_rows="quarantine", max_bad_share=0.3)
    assert made.report["rows"] == 11
    assert made.report["rejected"]["total"] == 3
    counts = {reason: count for reason, count in made.report["rejected"]["by_reason"].items() if count}
    assert counts == {"unknown_category": 1, "wrong_columns": 1, "not_numeric": 1}
    aside = [
        json.loads(line) for file in (made.folder / "rejected").iterdir() for line in file.read_text().splitlines()
    ]
    assert [(row["line"], row["reason"], row["text"]) for row in aside] == [
        (12, "unknown_category", "1,blue,2"),
        (13, "wrong_columns", "1,red"),
        (14, "not_numeric", "1,red,x"),
    ]
    assert all(row["file"].endswith("rows.csv") for row in aside)
    assert sorted(row for test in made.tests() for row in test) == sorted(
        [*(f"{number},{number},1,0" for number in range(10)), "7,5,0,1"]
    )


def test_more_bad_rows_than_the_configured_share_stop_the_job(fold) -> None:
    share = partial(fold, GOOD + "x,1,2\ny,1,2\n", on_bad_rows="quarantine")
    with pytest.raises(FoldError, match=r"That is 9\.091% of the rows, and 9\.000% may be set aside"):
        share(max_bad_share=0.09)
    assert share(max_bad_share=0.1).report["rows"] == 20


def test_without_a_share_quarantine_allows_dirty_rows_but_no_wrong_declaration(fold) -> None:
    assert fold(GOOD + "x,1,2\n", on_bad_rows="quarantine").report["rejected"]["total"] == 1
    with pytest.raises(FoldError, match=r"of the rows, and 5\.000% may be set aside: folds\.max_bad_share"):
        fold(GOOD + "x,1,2\ny,1,2\n", on_bad_rows="quarantine")


def test_a_header_where_none_is_declared_is_named_as_the_fault(fold) -> None:
    with pytest.raises(
        FoldError, match=r"line 1: not a number: 'y,a,b' .*\. The first line names columns: set .*header"
    ):
        fold("y,a,b\n" + GOOD)


def test_no_header_where_one_is_declared_is_named_as_the_fault(fold) -> None:
    with pytest.raises(FoldError, match="a header is declared, but the first line holds numbers"):
        fold(GOOD, label="y", numeric=["a"], header=True)


def test_columns_are_found_by_name_and_others_left_out(fold) -> None:
    text = "id,b,remark,y,a\n" + "".join(f"{number},2,some text,{number}.5,1\n" for number in range(6))
    made = fold(text, label="y", numeric=["a", "b"])
    assert sorted(row for test in made.tests() for row in test) == [f"{number}.5,1,2" for number in range(6)]
    assert made.report["ignored_columns"] == ["id", "remark"]
    assert made.report["columns"] == {"label": "y", "features": ["a", "b"]}


def test_a_column_that_the_header_lacks_is_named(fold) -> None:
    with pytest.raises(FoldError, match="the header lacks 'b'; it names 'y', 'a', 'B'"):
        fold("y,a,B\n1,2,3\n", label="y", numeric=["a", "b"])


@pytest.mark.parametrize("name", ['"a', '"a\nb"'])
def test_a_header_with_a_line_break_is_refused(fold, name) -> None:
    with pytest.raises(FoldError, match="the header has a line break within quotes: 'y,\"a'"):
        fold(f"y,{name}\n1,2\n", label="y", numeric=["a"], header=True)


def test_every_file_must_have_the_same_header(fold) -> None:
    files = {"1.csv": raw(), "2.csv": raw(header="kind,a,y")}
    with pytest.raises(FoldError, match=r"first line is not .*, the header of another file"):
        fold(files, **RAW)


def test_a_header_in_the_middle_of_a_file_is_a_bad_row(fold) -> None:
    with pytest.raises(FoldError, match="line 12: header among the rows: 'a,kind,y'"):
        fold(raw("a,kind,y"), **RAW)


def test_names_of_columns_may_look_like_numbers(fold) -> None:
    text = "0,1,2\n" + "".join(f"{number},7,8\n" for number in range(6))
    made = fold(text, label="0", numeric=["1", "2"], count=2)
    assert made.report["rows"] == 6


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_rows(fold) -> None:
    made = fold({"rows.csv": b"\xef\xbb\xbf" + raw().replace("\n", "\r\n").encode()}, **RAW)
    assert sorted(row for test in made.tests() for row in test) == [f"{number},{number},1,0" for number in range(10)]
    assert all(b"\r" not in file.read_bytes() for file in made.folder.rglob("*.csv"))


def test_blanks_around_fields_are_taken_off_and_blank_lines_passed_over(fold) -> None:
    made = fold("".join(f" {number} ,\t1, 2\n\n  \n" for number in range(10)))
    assert sorted(row for test in made.tests() for row in test) == [f"{number},1,2" for number in range(10)]
    assert made.report["blank_lines"] == 20


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_other_delimiters_are_read_and_commas_written(fold, delimiter) -> None:
    made = fold(GOOD.replace(",", delimiter), delimiter=delimiter)
    assert sorted(row for test in made.tests() for row in test) == sorted(GOOD.splitlines())


def test_quoted_fields_with_delimiters_and_quotes_are_read(fold) -> None:
    text = 'y,a,kind,remark\n"1","2","r,ed","say ""hi"""\n' + '3,4,"gr""een",plain\n' * 9
    made = fold(text, label="y", numeric=["a"], categorical={"kind": ["r,ed", 'gr"een']})
    assert sorted(row for test in made.tests() for row in test) == ["1,2,1,0", *["3,4,0,1"] * 9]


def test_quoted_fields_with_line_breaks_are_read(fold) -> None:
    text = "y,a,remark\n" + "".join(f'{number},2,"two\nlines, ""{number}"""\n' for number in range(10))
    made = fold({"1.csv": text, "2.csv": text}, label="y", numeric=["a"])
    assert sorted(row for test in made.tests() for row in test) == sorted([f"{number},2" for number in range(10)] * 2)


def test_bad_records_among_quoted_ones_are_shown_by_number(fold) -> None:
    text = "y,a,remark\n" + '1,2,"x, y"\n' * 9 + '1,zwei,"x"\n1,2\n1,2,3,"4"\n'
    with pytest.raises(FoldError) as caught:
        fold(text, label="y", numeric=["a"])
    assert "3 of 12 rows cannot be used: 2 wrong number of columns, 1 not a number" in str(caught.value)
    assert "line 11: not a number" in str(caught.value)


def test_categories_in_another_encoding_are_read(fold) -> None:
    rows = "y,a,café\n" + "1,2,crème\n" * 5 + "1,2,thé\n" * 5
    arguments = {"label": "y", "numeric": ["a"], "categorical": {"café": ["crème", "thé"]}}
    made = fold({"rows.csv": rows.encode("latin-1")}, **arguments, encoding="ISO-8859-1")
    assert sorted(row for test in made.tests() for row in test) == ["1,2,0,1"] * 5 + ["1,2,1,0"] * 5
    with pytest.raises(FoldError, match="the header lacks 'café'"):
        fold({"rows.csv": rows.encode("latin-1")}, **arguments)


def test_utf_16_is_refused_with_what_to_do(fold) -> None:
    with pytest.raises(FoldError, match="iconv -f UTF-16 -t UTF-8"):
        fold(GOOD, encoding="UTF-16")
    with pytest.raises(FoldError, match="not text in the declared encoding"):
        fold({"rows.csv": GOOD.encode("UTF-16")})


def test_compressed_and_empty_files_are_parts_like_others(fold) -> None:
    half = GOOD.splitlines(keepends=True)
    made = fold({"1.csv": "", "2.csv.gz": gzip.compress("".join(half[:9]).encode()), "3.csv": "".join(half[9:])})
    assert [sorted(test) for test in made.tests()] == [sorted(test) for test in fold(GOOD).tests()]


def test_folders_in_the_input_are_read_too_and_hidden_files_are_not(fold) -> None:
    made = fold(
        {"2020/a.csv": GOOD, "2021/month=1/b.csv": GOOD, "_SUCCESS": "", ".a.csv.crc": "crc", "_temp/x.csv": "x"}
    )
    assert made.report["rows"] == 40


def test_a_single_file_and_a_name_with_wildcards_and_blanks_are_read(fold, tmp_path) -> None:
    path = tmp_path / "a [1] {b}*?\\ c" / "rows%20 1.csv"
    path.parent.mkdir()
    path.write_text(GOOD)
    for source in (path, path.parent):
        made = fold(FileUri(source))
        assert made.report["rows"] == 20
    path.write_text(GOOD + "x,1,2\n")
    with pytest.raises(FoldError, match=r"rows%20 1\.csv, line 21"):
        fold(FileUri(path))


class FileUri:
    """A path whose URI is not percent-encoded, as Hadoop takes it."""

    def __init__(self, path) -> None:
        self.path = path

    def as_uri(self) -> str:
        return f"file://{self.path}"


@pytest.mark.parametrize(
    "files", [{"rows.csv": ""}, {"rows.csv": "\n\n"}, {"empty.csv": "", "rows.csv.gz": gzip.compress(b"")}]
)
def test_an_empty_dataset_is_refused(fold, files) -> None:
    with pytest.raises(FoldError, match="holds no rows"):
        fold(files)


def test_a_header_alone_is_fewer_rows_than_folds(fold) -> None:
    with pytest.raises(FoldError, match="0 usable rows are fewer than 5 folds"):
        fold("y,a\n", label="y", numeric=["a"])
    with pytest.raises(FoldError, match="4 usable rows are fewer than 5 folds"):
        fold("1,2,3\n" * 4)


def test_an_input_that_is_not_there_is_named(fold, tmp_path) -> None:
    with pytest.raises(FoldError, match="nowhere is not there, or holds no files"):
        fold(tmp_path / "nowhere")


def test_duplicates_are_counted_and_kept(fold) -> None:
    made = fold({"1.csv": GOOD + "7,7.5,2\n" * 3, "2.csv": "7,7.5,2\n8,8.5,2\n1,1,1\n"})
    assert made.report["duplicate_rows"] == 5
    assert made.report["duplicate_rows_exact"] is True
    assert made.report["rows"] == 26


def test_duplicates_among_many_rows_are_estimated(fold, monkeypatch) -> None:
    monkeypatch.setattr("folds.number.COMPARED", 500)
    monkeypatch.setattr("folds.number.SAMPLED", 500)
    made = fold("".join(f"{number % 3000},1,2\n" for number in range(6000)))
    assert made.report["duplicate_rows_exact"] is False
    assert 2000 < made.report["duplicate_rows"] < 4000
