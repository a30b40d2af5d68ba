"""The folds by Spark: what its workers are sent, and what becomes of a failure in one of them."""

from __future__ import annotations

import pytest
from folds.errors import explain
from folds.report import report_of
from make_folds import await_tasks
from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

from tests.steps.folds.conftest import write_files

ROWS = "".join(f"{number},{number % 7}.25,-3e-05\n" for number in range(40))


@pytest.mark.slow
def test_spark_makes_what_one_process_makes_to_the_byte(fold, fold_by_spark, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 1000)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)
    rows = "y,kind,who,note\n" + "".join(f'{number},{"ab"[number % 2]},{number % 90},"x"\n' for number in range(2000))
    source = write_files(tmp_path / "source", {"1.csv": rows, "2.csv": rows + '7,c,0,"two\nlines"\n'})
    given = {"label": "y", "categorical": {"kind": ["a", "b"]}, "groups": "who", "on_bad_rows": "quarantine"}
    made = [make(source, **given, max_bad_share=0.1, all_rows=True) for make in (fold, fold_by_spark)]
    here, by_spark = ({name: (each.folder / name).read_bytes() for name in each.names()} for each in made)
    assert len(here) > 5 * 4
    assert by_spark == here


@pytest.mark.slow
def test_tasks_that_still_write_when_one_fails_leave_nothing(fold_by_spark, spark, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("folds.spans.LARGEST_SPAN", 1 << 30)
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 1 << 30)
    source = write_files(tmp_path / "source", {"a.csv": ROWS, "b.csv": ROWS * 100_000})
    assign = report_of

    def remove_a_file(*arguments, **named):
        (source / "a.csv").unlink()
        return assign(*arguments, **named)

    monkeypatch.setattr("make_folds.report_of", remove_a_file)
    # Not shuffled, so that files are opened until the end.
    with pytest.raises(Py4JJavaError):
        fold_by_spark(source, count=20, shuffle=False, output=tmp_path / "out")
    await_tasks(spark)
    assert not any((tmp_path / "out").rglob("*"))


@pytest.mark.slow
def test_what_ends_a_python_worker_is_said_in_one_line(fold_by_spark, tmp_path, monkeypatch) -> None:
    source = write_files(tmp_path / "source", {"rows.csv": ROWS})
    assign = report_of

    def remove_the_input(*arguments, **named):
        (source / "rows.csv").unlink()
        return assign(*arguments, **named)

    monkeypatch.setattr("make_folds.report_of", remove_the_input)
    with pytest.raises(Py4JJavaError) as caught:
        fold_by_spark(source, output=tmp_path / "out")
    assert explain(caught.value) == f"FileNotFoundError: [Errno 2] No such file or directory: '{source}/rows.csv'"
    assert not any((tmp_path / "out").rglob("*"))
