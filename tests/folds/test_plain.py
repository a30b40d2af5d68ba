"""Datasets of numbers only, which are split as bytes: into the same folds as Spark's SQL would make."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

import make_folds
import numpy as np
import pytest
from fold_blocks import Span, blocks
from fold_bytes import are_rows, deal, line_ends, sample
from fold_errors import FoldError, explain
from fold_plain import await_tasks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError

from tests.folds.conftest import write_files
from tests.folds.numbers import fields, is_number

quick = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
texts = st.text("0123456789,.-e", min_size=1, max_size=40)
lines = st.lists(st.builds(str.__mul__, texts, st.sampled_from([1, 1, 30])), min_size=1, max_size=40)
NAMED = {"label": "y", "numeric": ["a", "b"]}
ROWS = "".join(f"{number},{number % 7}.25,-3e-05\n" for number in range(40))


@pytest.fixture
def routes(monkeypatch) -> list[str]:
    """How the datasets of a test were split."""
    taken = []
    examine_plain = make_folds.examine_plain

    def examine(*arguments):
        table = examine_plain(*arguments)
        taken.append("SQL" if table is None else "bytes")
        return table

    monkeypatch.setattr("make_folds.examine_plain", examine)
    return taken


@quick
@given(text=fields)
def test_a_field_is_a_number_to_both_ways_but_for_a_few_forms(text):
    block = f"1,{text}\n".encode()
    left_to_the_grammar = re.search(r"\.(?![0-9])|[eE]\+?[0-9]{3}|[0-9]{201}|^[ \t]|[ \t]$", text)
    assert are_rows(block, line_ends(block), 2) == (is_number(text) and not left_to_the_grammar)


@pytest.mark.parametrize(
    "block", ["1,2\n3\n", "1\n", "1,2\n1,2,3\n3\n", "1,2\n\n", "1,2\r\n", "1,2,\n", ",1\n", "1.2.3,4\n"]
)
def test_lines_with_other_fields_are_no_rows(block):
    assert not are_rows(block.encode(), line_ends(block.encode()), 2)


@quick
@given(rows=lines, data=st.data(), last=st.sampled_from(["", "\n"]), size=st.integers(1, 60))
def test_each_line_is_in_one_span_however_a_file_is_cut(tmp_path, rows, data, last, size):
    text = "\n".join(rows) + last
    file = tmp_path / "rows.csv"
    file.write_text(text)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(text)), max_size=5)))
    spans = [Span(file.as_uri(), start, end) for start, end in pairwise([0, *cuts, len(text)])]
    read = [block.decode() for span in spans for block in blocks(span, size)]
    assert all(block.endswith("\n") for block in read)
    assert "".join(read).splitlines() == rows


@pytest.mark.parametrize("start", [0, 4])
def test_a_line_that_memory_may_not_hold_is_not_read(tmp_path, monkeypatch, start):
    monkeypatch.setattr("fold_blocks._LONGEST_LINE", 16)
    (tmp_path / "rows.csv").write_text("1,2" * 9 + "\n1,2\n")
    with pytest.raises(FoldError, match=r"rows\.csv has a line of more than 16 bytes"):
        list(blocks(Span(f"{tmp_path.as_uri()}/rows.csv", start, 32), 8))


@quick
@given(rows=lines, data=st.data())
def test_lines_are_dealt_in_order(rows, data):
    folds = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    expected = defaultdict(str)
    for row, fold in zip(rows, folds, strict=True):
        expected[fold] += f"{row}\n"
    block = "".join(f"{row}\n" for row in rows).encode()
    dealt = deal(block, line_ends(block), np.array(folds, np.uint8), 4)
    assert [text.decode() for text in dealt] == [expected[fold] for fold in (1, 2, 3, 4)]


@quick
@given(rows=lines)
def test_whether_a_line_is_in_the_sample_depends_on_nothing_else(rows):
    block = "".join(f"{row}\n" for row in rows).encode()
    alone = [found for row in rows for found in sample(f"{row}\n".encode(), np.array([len(row)]), 4)]
    assert sample(block, line_ends(block), 4) == alone


@pytest.mark.parametrize("one_in", [16, 64, 1024])
@pytest.mark.parametrize("form", ["{},1", "1,0.{:05}", "1,0.{:09}000", "0.0000000{:05},1.000000001", "1,{:0700}"])
def test_the_sample_is_as_large_as_asked_for_whatever_rows_have_in_common(form, one_in):
    block = "".join(f"{form.format(number)}\n" for number in range(64_000)).encode()
    expected = 64_000 / one_in
    # Give or take five standard deviations.
    assert abs(len(sample(block, line_ends(block), one_in)) - expected) < 5 * expected**0.5
    assert len(sample(block, line_ends(block), 1)) == 64_000


numbers = st.one_of(st.integers(-(10**9), 10**9).map(str), st.floats(-1e6, 1e6, allow_nan=False).map(repr))


@settings(quick, max_examples=5)
@given(
    rows=st.lists(st.tuples(numbers, numbers, numbers).map(",".join), min_size=7, max_size=60),
    data=st.data(),
    folds=st.integers(2, 7),
    header=st.booleans(),
    shuffle=st.booleans(),
)
def test_the_folds_and_the_report_are_those_that_sql_makes(
    fold, routes, tmp_path_factory, rows, data, folds, header, shuffle
):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    files = {
        f"{number}.csv": "\n".join([*(["y,a,b"] * header), *rows[start:end]])
        for number, (start, end) in enumerate(pairwise([0, *cuts, len(rows)]))
    }
    source = write_files(tmp_path_factory.mktemp("source"), files)
    options = {**NAMED, "header": header, "count": folds, "shuffle": shuffle}
    as_bytes = fold(source, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("make_folds.examine_plain", lambda *_: None)
        by_sql = fold(source, **options)
    assert set(routes) == {"bytes"}
    assert list(map(sorted, as_bytes.tests())) == list(map(sorted, by_sql.tests()))
    assert as_bytes.report == by_sql.report


def test_large_files_are_cut_and_their_sample_tells_how_many_rows_are_duplicates(fold, routes, monkeypatch):
    monkeypatch.setattr("fold_lines._SMALLEST_SPLIT", 1 << 16)
    rows = [f"{number},{number % 5},1.5" for number in range(120_000)] * 2
    made = fold("\n".join(rows))
    assert routes == ["bytes"]
    assert len(list((made.folder / "vc1" / "test").iterdir())) > 1
    assert sorted(row for test in made.tests() for row in test) == sorted(rows)
    assert not made.report["duplicate_rows_exact"]
    assert 100_000 < made.report["duplicate_rows"] < 140_000


@pytest.mark.parametrize("way", ["bytes", "SQL"])
def test_many_duplicates_of_few_rows_are_seen(fold, monkeypatch, way):
    if way == "SQL":
        monkeypatch.setattr("make_folds.examine_plain", lambda *_: None)
    zeros, others = "0,0,0\n" * 100_000, "".join(f"{number},1,2\n" for number in range(100_000))
    assert 85_000 < fold(zeros + others).report["duplicate_rows"] < 115_000
    assert 195_000 < fold(zeros + zeros).report["duplicate_rows"] < 200_000
    assert fold(others + others.replace(",1,", ",3,")).report["duplicate_rows"] == 0


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
def test_all_other_datasets_are_left_to_sql(fold, routes, content, options, rows):
    assert fold(content, **options).report["rows"] == rows
    assert routes == ["SQL"]


def test_files_whose_names_spark_writes_in_another_way_are_left_to_sql(fold, routes):
    fold({"a b.csv": ROWS, "é.csv": ROWS})
    assert routes == ["SQL"]


@pytest.mark.parametrize("way", ["bytes", "SQL"])
def test_both_ways_read_the_same_files(fold, tmp_path, monkeypatch, way):
    if way == "SQL":
        monkeypatch.setattr("make_folds.examine_plain", lambda *_: None)
    names = ["a.csv", "deep/er/b.csv", "_c=1.csv", "_metadata/d.csv"]
    passed_over = ["_e.csv", ".f.csv", "g.csv._COPYING_", "_metadata.csv", "_deep/h.csv", ".deep/i.csv"]
    source = write_files(tmp_path / "in", dict.fromkeys([*names, *passed_over], ROWS))
    (source / "linked").symlink_to(write_files(tmp_path / "elsewhere", {"j.csv": ROWS}))
    report = fold(source).report
    assert (report["input_files"], report["rows"]) == (5, 200)
    for name in passed_over[:4]:
        with pytest.raises(FoldError, match=r"is not there, or holds no files \(but"):
            fold(source / name)


def test_a_name_that_only_looks_like_two_columns_is_not_taken_for_them(fold):
    with pytest.raises(FoldError, match="the header lacks 'a,b'"):
        fold("y,a,b\n" + "1,2\n" * 20, label="y", numeric=["a,b"], header=True)


def test_a_name_that_is_no_text_is_refused(fold):
    with pytest.raises(FoldError, match=r"the name of the column '\\udcff' is not UTF-8"):
        fold(ROWS, label="y", numeric=["\udcff"])


def test_a_bad_line_far_into_a_file_is_found_and_named(fold, routes):
    rows = [f"{number},1.5,2\n" for number in range(100_000)]
    rows[99_000] = "1,2\n"
    with pytest.raises(FoldError, match=r"rows\.csv, line 99001: wrong number of columns: '1,2'"):
        fold("".join(rows))
    assert routes == ["SQL"]


def test_a_file_without_the_header_of_the_others_is_named(fold, routes):
    with pytest.raises(FoldError, match=r"2\.csv: its first line is not 'y,a,b', the header of another file"):
        fold({"1.csv": "y,a,b\n" + ROWS, "2.csv": ROWS}, **NAMED, header=True)
    assert routes == ["SQL"]


def test_an_input_that_changes_in_between_is_noticed_and_nothing_is_left(fold, tmp_path, monkeypatch):
    source = write_files(tmp_path / "source", {"rows.csv": ROWS})
    assign = make_folds.fold_sizes

    def rewrite_the_input(*arguments):
        (source / "rows.csv").write_text("5,6,7\n" * 41)
        return assign(*arguments)

    monkeypatch.setattr("make_folds.fold_sizes", rewrite_the_input)
    with pytest.raises(FoldError, match="the input changed in between"):
        fold(source, output=tmp_path / "out")
    assert not any((tmp_path / "out").rglob("*"))


def test_tasks_that_still_write_when_one_fails_leave_nothing(fold, spark, tmp_path, monkeypatch):
    monkeypatch.setattr("fold_lines._SMALLEST_SPLIT", 1 << 30)
    source = write_files(tmp_path / "source", {"a.csv": ROWS, "b.csv": ROWS * 100_000})
    assign = make_folds.fold_sizes

    def remove_a_file(*arguments):
        (source / "a.csv").unlink()
        return assign(*arguments)

    monkeypatch.setattr("make_folds.fold_sizes", remove_a_file)
    # Not shuffled, so that files are opened until the end.
    with pytest.raises(Py4JJavaError):
        fold(source, count=20, shuffle=False, output=tmp_path / "out")
    await_tasks(spark)
    assert not any((tmp_path / "out").rglob("*"))


def test_what_ends_a_python_worker_is_said_in_one_line(fold, tmp_path, monkeypatch):
    source = write_files(tmp_path / "source", {"rows.csv": ROWS})
    assign = make_folds.fold_sizes

    def remove_the_input(*arguments):
        (source / "rows.csv").unlink()
        return assign(*arguments)

    monkeypatch.setattr("make_folds.fold_sizes", remove_the_input)
    with pytest.raises(Py4JJavaError) as caught:
        fold(source, output=tmp_path / "out")
    assert explain(caught.value) == f"FileNotFoundError: [Errno 2] No such file or directory: '{source}/rows.csv'"
    assert not any((tmp_path / "out").rglob("*"))
