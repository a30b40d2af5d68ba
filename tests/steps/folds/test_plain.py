"""Reading spans, checking blocks of plain numbers, and moving lines: all of it on bytes."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from folds.deal import in_folds
from folds.errors import FoldError
from folds.number import sample
from folds.plain import are_rows, line_ends
from folds.spans import Span, blocks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.steps.folds.conftest import write_files
from tests.steps.folds.numbers import fields, is_number

quick = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
texts = st.text("0123456789,.-e", min_size=1, max_size=40)
lines = st.lists(st.builds(str.__mul__, texts, st.sampled_from([1, 1, 30])), min_size=1, max_size=40)
NAMED = {"label": "y", "numeric": ["a", "b"]}
ROWS = "".join(f"{number},{number % 7}.25,-3e-05\n" for number in range(40))


@quick
@given(text=fields)
def test_a_field_is_a_plain_number_if_it_is_a_number_but_for_a_few_forms(text) -> None:
    block = f"1,{text}\n".encode()
    left_to_the_grammar = re.search(r"\.(?![0-9])|[eE]\+?[0-9]{3}|[0-9]{201}|^[ \t]|[ \t]$", text)
    assert are_rows(block, line_ends(block), 2) == (is_number(text) and not left_to_the_grammar)


@pytest.mark.parametrize(
    "block", ["1,2\n3\n", "1\n", "1,2\n1,2,3\n3\n", "1,2\n\n", "1,2\r\n", "1,2,\n", ",1\n", "1.2.3,4\n"]
)
def test_lines_with_other_fields_are_no_rows(block) -> None:
    assert not are_rows(block.encode(), line_ends(block.encode()), 2)


@quick
@given(rows=lines, data=st.data(), last=st.sampled_from(["", "\n"]), size=st.integers(1, 60))
def test_each_line_is_in_one_span_however_a_file_is_cut(tmp_path, rows, data, last, size) -> None:
    text = "\n".join(rows) + last
    file = tmp_path / "rows.csv"
    file.write_text(text)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(text)), max_size=5)))
    spans = [Span(file.as_uri(), start, end) for start, end in pairwise([0, *cuts, len(text)])]
    read = [block.decode() for span in spans for block in blocks(span, size)]
    assert all(block.endswith("\n") for block in read)
    assert "".join(read).splitlines() == rows


@pytest.mark.parametrize("start", [0, 4])
def test_a_line_that_memory_may_not_hold_is_not_read(tmp_path, monkeypatch, start) -> None:
    monkeypatch.setattr("folds.spans.LONGEST_LINE", 16)
    (tmp_path / "rows.csv").write_text("1,2" * 9 + "\n1,2\n")
    with pytest.raises(FoldError, match=r"rows\.csv has a line of more than 16 bytes"):
        list(blocks(Span(f"{tmp_path.as_uri()}/rows.csv", start, 32), 8))


@quick
@given(rows=lines, data=st.data())
def test_lines_are_dealt_in_order_unless_they_are_shuffled(rows, data) -> None:
    folds = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    expected: defaultdict[Any, str] = defaultdict(str)
    for row, fold in zip(rows, folds, strict=True):
        expected[fold] += f"{row}\n"
    block = "".join(f"{row}\n" for row in rows).encode()
    dealt = in_folds(block, np.array(folds, np.uint8), 4, None)
    assert [b"".join(parts).decode() for parts in dealt] == [expected[fold] for fold in (1, 2, 3, 4)]
    mixed = in_folds(block, np.array(folds, np.uint8), 4, [7])
    texts = [b"".join(parts).decode() for parts in mixed]
    assert [sorted(text.splitlines()) for text in texts] == [sorted(expected[n].splitlines()) for n in (1, 2, 3, 4)]


@quick
@given(rows=lines)
def test_whether_a_line_is_in_the_sample_depends_on_nothing_else(rows) -> None:
    block = "".join(f"{row}\n" for row in rows).encode()
    alone = [found for row in rows for found in sample(f"{row}\n".encode(), np.array([len(row)]), 4)]
    assert sample(block, line_ends(block), 4) == alone


@pytest.mark.parametrize("one_in", [16, 64, 1024])
@pytest.mark.parametrize("form", ["{},1", "1,0.{:05}", "1,0.{:09}000", "0.0000000{:05},1.000000001", "1,{:0700}"])
def test_the_sample_is_as_large_as_asked_for_whatever_rows_have_in_common(form, one_in) -> None:
    block = "".join(f"{form.format(number)}\n" for number in range(64_000)).encode()
    expected = 64_000 / one_in
    # Give or take five standard deviations.
    assert abs(len(sample(block, line_ends(block), one_in)) - expected) < 5 * expected**0.5
    assert len(sample(block, line_ends(block), 1)) == 64_000


def test_large_files_are_cut_and_their_sample_tells_how_many_rows_are_duplicates(fold, monkeypatch) -> None:
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1 << 16)
    rows = [f"{number},{number % 5},1.5" for number in range(120_000)] * 2
    made = fold("\n".join(rows))
    assert len(list((made.folder / "vc1" / "test").iterdir())) > 1
    assert sorted(row for test in made.tests() for row in test) == sorted(rows)
    assert not made.report["duplicate_rows_exact"]
    assert 100_000 < made.report["duplicate_rows"] < 140_000


@pytest.mark.parametrize("given", [{}, {"stratify": 3}], ids=["plain", "by column"])
def test_many_duplicates_of_few_rows_are_seen(fold, given) -> None:
    zeros, others = "0,0,0\n" * 100_000, "".join(f"{number},1,2\n" for number in range(100_000))
    assert 85_000 < fold(zeros + others, **given).report["duplicate_rows"] < 115_000
    assert 195_000 < fold(zeros + zeros, **given).report["duplicate_rows"] < 200_000
    assert fold(others + others.replace(",1,", ",3,"), **given).report["duplicate_rows"] == 0


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        (ROWS, {"encoding": "ISO-8859-1"}, 40),
        (ROWS.replace(",", ";"), {"delimiter": ";"}, 40),
        (ROWS, {"stratify": 3}, 40),
        ("".join(f"{number},1,2,{number % 9}\n" for number in range(40)), {"groups": "who"}, 40),
        (ROWS.replace("\n", "\r\n"), {}, 40),
        ("\ufeff" + ROWS, {}, 40),
        (ROWS + "\n", {}, 40),
        (ROWS + '"1",2,3\n', {}, 41),
        (ROWS + "1, 2,3\n", {}, 41),
        (ROWS + "1.,2,3\n", {}, 41),
        ("b,a,y\n" + ROWS, {**NAMED, "header": True}, 40),
        ("1,2,3\n" + ROWS, {"label": "1", "numeric": ["2", "3"], "header": True}, 40),
        ('y,"a"\n' + "1,2\n" * 20, {"label": "y", "numeric": ["a"], "header": True}, 20),
        ("y,kind\n" + "1,0\n" * 20, {"label": "y", "categorical": {"kind": ["0", "1"]}}, 20),
    ],
)
def test_no_dataset_loses_a_row(fold, content, options, rows) -> None:
    assert fold(content, **options).report["rows"] == rows


def test_names_of_files_may_hold_any_characters(fold) -> None:
    assert fold({"a b.csv": ROWS, "é%20.csv": ROWS}).report["rows"] == 80


def test_the_files_of_an_input_are_those_that_spark_reads(fold, tmp_path) -> None:
    names = ["a.csv", "deep/er/b.csv", "_c=1.csv", "_metadata/d.csv"]
    passed_over = ["_e.csv", ".f.csv", "g.csv._COPYING_", "_metadata.csv", "_deep/h.csv", ".deep/i.csv"]
    source = write_files(tmp_path / "in", dict.fromkeys([*names, *passed_over], ROWS))
    (source / "linked").symlink_to(write_files(tmp_path / "elsewhere", {"j.csv": ROWS}))
    report = fold(source).report
    assert (report["input_files"], report["rows"]) == (5, 200)
    for name in passed_over[:4]:
        with pytest.raises(FoldError, match=r"is not there, or holds no files \(but"):
            fold(source / name)


def test_a_name_that_only_looks_like_two_columns_is_not_taken_for_them(fold) -> None:
    with pytest.raises(FoldError, match="the header lacks 'a,b'"):
        fold("y,a,b\n" + "1,2\n" * 20, label="y", numeric=["a,b"], header=True)


def test_a_name_that_is_no_text_is_refused(fold) -> None:
    with pytest.raises(FoldError, match=r"the name of the column '\\udcff' is not UTF-8"):
        fold(ROWS, label="y", numeric=["\udcff"])


def test_a_bad_line_far_into_a_file_is_found_and_named(fold) -> None:
    rows = [f"{number},1.5,2\n" for number in range(100_000)]
    rows[99_000] = "1,2\n"
    with pytest.raises(FoldError, match=r"rows\.csv, line 99001: wrong number of columns: '1,2'"):
        fold("".join(rows))


def test_a_file_without_the_header_of_the_others_is_named(fold) -> None:
    with pytest.raises(FoldError, match=r"2\.csv: its first line is not 'y,a,b', the header of another file"):
        fold({"1.csv": "y,a,b\n" + ROWS, "2.csv": ROWS}, **NAMED, header=True)
