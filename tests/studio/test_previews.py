"""How the start of an object is shown."""

from __future__ import annotations

import pytest

from studio.previews import LARGEST_JSON, START, bytes_wanted, preview


def test_csv_with_names_is_a_table_with_a_header() -> None:
    shown = preview("a.CSV", b'name,note\n"y, z",2\n', 18)
    assert (shown.header, shown.rows, shown.text) == (["name", "note"], [["y, z", "2"]], "")


def test_csv_of_numbers_has_no_header() -> None:
    shown = preview("a.csv", b"1,2.5\n3,4\n", 10)
    assert (shown.header, shown.rows) == ([], [["1", "2.5"], ["3", "4"]])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(delimiter) -> None:
    content = delimiter.join(["a", "b"]).encode()
    assert preview("a.csv", content, len(content)).header == ["a", "b"]


def test_a_line_that_was_cut_is_left_out() -> None:
    shown = preview("a.csv", b"a,b\n1,2\n3,4", 1000)
    assert shown.rows == [["1", "2"]]
    assert "This is the first row" in shown.remark


def test_many_rows_and_columns_are_cut_and_the_page_says_so() -> None:
    content = b"\n".join([b",".join([b"7"] * 50)] * 60)
    shown = preview("a.csv", content, len(content))
    assert (len(shown.rows), len(shown.rows[0])) == (50, 40)
    assert "first 50 rows" in shown.remark
    assert "Of 50 columns" in shown.remark


def test_json_is_indented_if_it_is_there_as_a_whole() -> None:
    assert preview("a.json", b'{"b":[1]}', 9).text == '{\n  "b": [\n    1\n  ]\n}'
    assert preview("a.json", b'{"b":', 5).text == '{"b":'
    assert "not JSON" in preview("a.json", b'{"b":', 5).remark
    deep = b"[" * 100_000
    assert "not JSON" in preview("a.json", deep, len(deep)).remark


def test_line_breaks_of_windows_are_line_breaks() -> None:
    assert preview("a.txt", b"a\r\nb", 4).text == "a\nb"


def test_text_ends_at_a_whole_character() -> None:
    content = "é".encode() * 10
    shown = preview("a.log", content[:5], len(content))
    assert shown.text == "éé"
    assert "first 64 kB" in shown.remark


@pytest.mark.parametrize("content", [b"\x00\x01", b"\xff\xfe\xfd", b"caf\xe9"])
def test_what_is_not_text_is_not_shown(content) -> None:
    shown = preview("a", content, len(content))
    assert shown.text == ""
    assert "not text" in shown.remark


@pytest.mark.parametrize(
    ("key", "size", "wanted"),
    [
        ("a.csv", 10, 10),
        ("a.csv", 10 * START, START),
        ("a.json", LARGEST_JSON, LARGEST_JSON),
        ("a.json", LARGEST_JSON + 1, START),
    ],
)
def test_only_the_start_of_a_large_object_is_read(key, size, wanted) -> None:
    assert bytes_wanted(key, size) == wanted
