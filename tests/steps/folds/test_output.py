"""What is in the output, and what is left there when something goes wrong."""

from __future__ import annotations

import json
import os
from typing import Any, Never

import pytest
from folds import output as fold_output
from folds.errors import FoldError
from folds.report import report_of, suggested_settings
from folds.spans import spans_of, task_count
from folds.storage import place

from tests.steps.folds.conftest import folding, in_this_process, write_files

ROWS = [f"{number},{number}.5,2" for number in range(23)]
TEXT = "\n".join(ROWS)


def test_only_parts_and_the_report_are_written(fold) -> None:
    made = fold(TEXT, count=2)
    assert made.names() == {
        "folds.json",
        "vc1/test/part-fold1-00000.csv",
        "vc1/train/part-fold2-00000.csv",
        "vc2/test/part-fold2-00000.csv",
        "vc2/train/part-fold1-00000.csv",
    }


def test_no_part_is_empty_when_rows_are_few(fold) -> None:
    made = fold("1,2,3\n" * 3, count=3)
    assert len(made.names()) == 1 + 3 + 6
    assert all((made.folder / name).stat().st_size for name in made.names())


def test_folds_of_an_earlier_run_with_more_folds_go_away(fold) -> None:
    first = fold(TEXT + "\nx,1,2", count=7, on_bad_rows="quarantine", max_bad_share=1)
    (first.folder / "notes.txt").write_text("mine")
    for folder in ("", "vc1", "vc1/test"):
        (first.folder / folder / "_unfinished-0").write_text("left when a run was killed")
    (first.folder / "vc9000").mkdir()
    (first.folder / "vc9000" / "also mine.txt").write_text("mine")
    second = fold(TEXT, count=3, layout="manifest", output=first.folder)
    kinds = {name.partition("/")[0] for name in second.names()}
    assert kinds == {"folds.json", "notes.txt", "vc1", "vc2", "vc3", "vc9000"}
    assert not (second.folder / "vc1" / "train").exists()
    assert not any("unfinished" in name for name in second.names())
    assert not (second.folder / "vc4").exists()


def test_what_a_killed_task_left_is_removed_when_its_rerun_succeeds(tmp_path) -> None:
    def killed_once(work, items):
        results = in_this_process(work, items)
        for folder in ("vc1/test", "rejected"):
            if (tmp_path / "output" / folder).exists():
                (tmp_path / "output" / folder / "_unfinished-0").write_text("1,2")
        return results

    given = {"count": 2, "on_bad_rows": "quarantine", "max_bad_share": 1}
    made = folding(tmp_path / "input", killed_once)(f"{TEXT}\nx,1,2", output=tmp_path / "output", **given)
    assert any("rejected" in name for name in made.names())
    assert not [name for name in made.names() if "unfinished" in name]


def test_a_manifest_names_the_files_of_the_other_folds(fold) -> None:
    made = fold(TEXT, count=3, layout="manifest")
    for number in (1, 2, 3):
        prefix, *names = json.loads((made.folder / f"vc{number}" / "train.manifest").read_text())
        assert prefix == {"prefix": f"{made.folder.as_uri()}/"}
        rows = [row for name in names for row in (made.folder / name).read_text().splitlines()]
        assert sorted(rows) == sorted(set(ROWS) - set(made.test(number)))


@pytest.fixture
def many_parts(monkeypatch) -> None:
    """Several files in each fold, from a short input."""
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 1000)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)


MANY = [f"{number},{number}.5,2" for number in range(1000)]


@pytest.mark.usefixtures("many_parts")
def test_all_rows_are_one_training_set_in_a_folder(fold) -> None:
    made = fold({"rows.csv": "\n".join(MANY)}, count=3, all_rows=True)
    plain = fold({"rows.csv": "\n".join(MANY)}, count=3)
    tests = sorted(name for name in made.names() if "/test/" in name)
    assert len(tests) > 3
    together = {name for name in made.names() if name.startswith("all")}
    assert together == {f"all/{name.rpartition('/')[2]}" for name in tests}
    assert sorted(row for name in together for row in (made.folder / name).read_text().splitlines()) == sorted(MANY)
    assert made.names() - together == plain.names()
    assert made.report == plain.report | {"input": made.report["input"]}


@pytest.mark.usefixtures("many_parts")
def test_all_rows_are_one_training_set_in_a_manifest(fold) -> None:
    made = fold({"rows.csv": "\n".join(MANY)}, count=3, layout="manifest", all_rows=True)
    prefix, *names = json.loads((made.folder / "all.manifest").read_text())
    assert prefix == {"prefix": f"{made.folder.as_uri()}/"}
    assert len(names) > 3
    assert sorted(row for name in names for row in (made.folder / name).read_text().splitlines()) == sorted(MANY)
    assert not (made.folder / "all").exists()


@pytest.mark.parametrize("layout", ["folders", "manifest"])
def test_a_training_set_of_all_rows_goes_away_with_its_run(fold, layout) -> None:
    first = fold(TEXT, count=7, layout=layout, all_rows=True)
    (first.folder / "allowed.txt").write_text("mine")
    again = fold(TEXT, count=3, layout=layout, all_rows=True, output=first.folder)
    assert sum(name.startswith("all/") for name in again.names()) == (3 if layout == "folders" else 0)
    without = fold(TEXT, count=3, layout=layout, output=first.folder)
    assert [name for name in without.names() if name.startswith("all")] == ["allowed.txt"]
    assert not (without.folder / "all").exists()


def test_files_of_the_user_in_a_folder_of_that_name_stay(fold, tmp_path) -> None:
    output = write_files(tmp_path / "output", {"all/part-of-mine.csv": "mine"})
    made = fold(TEXT, count=2, all_rows=True, output=output)
    fold(TEXT, count=2, output=output)
    assert [name for name in made.names() if name.startswith("all")] == ["all/part-of-mine.csv"]


def test_parts_have_about_the_size_asked_for(fold) -> None:
    row = "1234567.25,1234567.25,1234567.25\n"
    rows = 3 * 1024**2 // len(row)
    made = fold(row * rows, count=2, target_file_megabytes=1)
    sizes = [file.stat().st_size for file in (made.folder / "vc1" / "test").iterdir()]
    assert len(sizes) == 2
    assert all(0.5 * 1024**2 < size < 1.1 * 1024**2 for size in sizes)


@pytest.mark.parametrize(
    ("total", "largest", "expected"),
    [
        (10**12, 640 * 2**20, 1491),  # as large as the files may be
        (10**10, 640 * 2**20, 64),  # enough for many cores
        (400 * 10**6, 640 * 2**20, 8),
        (40 * 10**6, 640 * 2**20, 4),  # none of four cores is idle
        (50_000, 640 * 2**20, 1),  # not worth cutting
        (3 * 2**20, 2 * 2**20, 2),
    ],
)
def test_tasks_are_large_unless_cores_would_be_idle(total, largest, expected) -> None:
    spans = spans_of({"s3://bucket/rows.csv": total})
    assert task_count(total, len(spans), largest) == expected


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path) -> None:
    folder = place(tmp_path.as_uri())
    with folder.writing("deep/rows.csv") as file:
        file.write(b"1,2\n")
        assert "deep/rows.csv" not in folder.files()
    assert folder.files() == {"deep/rows.csv": 4}
    with pytest.raises(TypeError), folder.writing("deep/rows.csv") as file:
        file.write("no bytes")  # type: ignore[call-overload]
    assert folder.files() == {"deep/rows.csv": 4}


@pytest.mark.parametrize(
    ("broken", "layout"),
    [("check_complete", "folders"), ("training_copies", "folders"), ("write_manifests", "manifest")],
)
def test_a_failure_while_writing_leaves_nothing_that_a_later_step_could_read(
    fold, tmp_path, monkeypatch, broken, layout
) -> None:
    def fail(*_, **__) -> Never:
        raise FoldError("the disk is full")

    monkeypatch.setattr(fold_output, broken, fail)
    output = tmp_path / "output"
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    with pytest.raises(FoldError, match="the disk is full"):
        fold(TEXT, layout=layout, output=output)
    assert [path.name for path in output.rglob("*")] == ["notes.txt"]


def test_rows_that_appear_between_the_two_passes_stop_the_job(fold, tmp_path, monkeypatch) -> None:
    source = tmp_path / "rows.csv"
    source.write_text(TEXT + "\n")
    clear = fold_output.clear

    def clear_and_grow(output) -> None:
        clear(output)
        source.write_text(TEXT.replace("7,7.5,2", "7,7,5\n7,7") + "\n")

    monkeypatch.setattr("make_folds.clear", clear_and_grow)
    with pytest.raises(FoldError, match="23 rows were counted and 24 written: the input changed in between"):
        fold(source, output=tmp_path / "output")
    assert not list((tmp_path / "output").rglob("*.csv"))


def test_parts_that_the_driver_cannot_see_stop_the_job(fold, monkeypatch) -> None:
    real = fold_output.PART
    seen: list[Any] = []

    class Blind:
        def match(self, name):
            match = real.match(name)
            if match and not seen:
                seen.append(name)
                return None
            return match

    monkeypatch.setattr(fold_output, "PART", Blind())
    with pytest.raises(FoldError, match=r"bytes were written and .* are in the output"):
        fold(TEXT)


@pytest.mark.parametrize("inside", ["output-of-input", "input-of-output"])
def test_an_output_that_would_be_read_as_input_is_refused(fold, tmp_path, inside) -> None:
    source = tmp_path / "data"
    source.mkdir()
    (source / "rows.csv").write_text(TEXT)
    output = source / "folds" if inside == "output-of-input" else tmp_path
    with pytest.raises(FoldError, match="overlap: give the folds a folder of their own"):
        fold(source, output=output)


def test_an_output_that_is_a_file_is_refused_and_kept(fold, tmp_path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(FoldError, match="taken is a file"):
        fold(TEXT, output=tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_links_are_copies_where_the_disk_has_none(fold, monkeypatch) -> None:
    def refuse(*_) -> Never:
        raise OSError

    linked = fold(TEXT)
    monkeypatch.setattr(os, "link", refuse)
    copied = fold(TEXT)
    assert copied.tests() == linked.tests()
    assert copied.train(1) == linked.train(1)


def test_the_report_says_what_was_made_of_what(fold) -> None:
    made = fold(TEXT, count=3, data_version="2024-05", seed=7)
    report = made.report
    assert report["rows"] == 23
    assert report["folds"] == [
        {"fold": 1, "test_rows": 8, "train_rows": 15},
        {"fold": 2, "test_rows": 8, "train_rows": 15},
        {"fold": 3, "test_rows": 7, "train_rows": 16},
    ]
    assert report["columns"] == {"label": "y", "features": ["a", "b"]}
    assert (report["feature_dim"], report["seed"], report["shuffle"]) == (2, 7, True)
    assert (report["layout"], report["data_version"], report["input_files"]) == ("folders", "2024-05", 1)
    assert report["rejected"]["total"] == 0


@pytest.mark.parametrize(
    ("train_rows", "mini_batch_size", "epochs"),
    [
        (1, 1, 100),  # never more than there are rows
        (15, 15, 100),
        (17, 16, 100),
        (273, 17, 100),  # 342 penguins in five folds
        (1070, 66, 100),
        (15_999, 999, 100),
        (16_000, 1000, 100),
        (17_000, 1000, 95),
        (106_999, 1000, 16),
        (107_000, 1000, 15),  # linear-learner's own defaults from here on
        (10**9, 1000, 15),
    ],
)
def test_suggested_settings_scale_with_the_rows(train_rows, mini_batch_size, epochs) -> None:
    assert suggested_settings(train_rows) == {"mini_batch_size": mini_batch_size, "epochs": epochs}


def test_suggestions_are_for_the_smallest_training_set(fold) -> None:
    text = "y,a,who\n" + "".join(f"{number},1,{max(0, number - 600)}\n" for number in range(1000))
    made = fold(text, label="y", numeric=["a"], groups="who", count=3)
    assert min(entry["train_rows"] for entry in made.report["folds"]) == 399
    assert made.report["suggested"] == {"mini_batch_size": 24, "epochs": 100}
    assert all(type(value) is int for value in made.report["suggested"].values())


def test_an_input_that_changes_in_between_is_noticed_and_nothing_is_left(fold, tmp_path, monkeypatch) -> None:
    source = write_files(tmp_path / "source", {"rows.csv": TEXT})
    assign = report_of

    def rewrite_the_input(*arguments, **named):
        (source / "rows.csv").write_text("5,6,7\n" * 24)
        return assign(*arguments, **named)

    monkeypatch.setattr("make_folds.report_of", rewrite_the_input)
    with pytest.raises(FoldError, match="the input changed in between"):
        fold(source, output=tmp_path / "out")
    assert not any((tmp_path / "out").rglob("*"))
