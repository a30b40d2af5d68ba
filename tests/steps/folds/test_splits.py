"""What is true of every split, whatever the rows, the files and the options."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from folds.deal import grouped, hashes_of, shuffled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

few = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(repr),
    st.sampled_from(["0", "-0.0", "+3", ".5", "7.", "1e5", "2.5E-3", "007"]),
)
rows_of_numbers = st.lists(st.tuples(numbers, numbers, numbers).map(",".join), min_size=7, max_size=60)


@st.composite
def files_of(draw, rows):
    """The rows, in order, cut into files; some of the files are empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    pieces = [rows[start:end] for start, end in pairwise([0, *cuts, len(rows)])]
    return {f"rows-{number:02}.csv": "".join(row + ends for row in piece) for number, piece in enumerate(pieces)}


@few
@given(data=st.data(), rows=rows_of_numbers, folds=st.integers(2, 7), shuffle=st.booleans())
def test_each_row_is_in_one_test_set_as_written_and_in_the_training_sets_of_the_others(
    fold, data, rows, folds, shuffle
) -> None:
    made = fold(data.draw(files_of(rows)), count=folds, shuffle=shuffle)
    tests = made.tests()
    assert Counter(row for test in tests for row in test) == Counter(rows)
    sizes = [len(test) for test in tests]
    assert sizes == [entry["test_rows"] for entry in made.report["folds"]]
    assert max(sizes) - min(sizes) <= 1
    for entry, test in zip(made.report["folds"], tests, strict=True):
        train = made.train(entry["fold"])
        assert Counter(train) + Counter(test) == Counter(rows)
        assert len(train) == entry["train_rows"]


@few
@given(data=st.data(), count=st.integers(5, 60), folds=st.integers(2, 5), seed=st.integers(0, 2**31 - 1))
def test_folds_do_not_depend_on_how_rows_are_cut_into_files(fold, data, count, folds, seed) -> None:
    rows = [f"{number},1,2" for number in range(count)]
    arguments = {"count": folds, "seed": seed}
    whole = fold("\n".join(rows), **arguments)
    cut = fold(data.draw(files_of(rows)), **arguments)
    assert [sorted(test) for test in cut.tests()] == [sorted(test) for test in whole.tests()]


@few
@given(data=st.data(), count=st.integers(5, 60), folds=st.integers(2, 5))
def test_without_shuffling_folds_follow_the_order_of_the_files_as_scikit_learns_kfold(fold, data, count, folds) -> None:
    rows = [f"{number},1,2" for number in range(count)]
    made = fold(data.draw(files_of(rows)), count=folds, shuffle=False)
    expected = [[rows[index] for index in test] for _, test in KFold(folds).split(rows)]
    assert made.tests() == expected


def test_folds_do_not_depend_on_the_size_of_the_pieces_that_tasks_read(fold, monkeypatch) -> None:
    text = "".join(f"{number},{number % 7}.25,3\n" for number in range(3000))
    whole = fold(text)
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 100)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)
    cut = fold({"rows.csv": text})
    assert len(list((cut.folder / "vc1" / "test").iterdir())) > 1
    assert [sorted(test) for test in cut.tests()] == [sorted(test) for test in whole.tests()]


def test_many_small_files_are_read_by_few_tasks_and_lose_nothing(fold) -> None:
    rows = [f"{number},1,2" for number in range(120)]
    made = fold({f"{start:03}.csv": "\n".join(rows[start : start + 2]) for start in range(0, 120, 2)})
    assert sorted(row for test in made.tests() for row in test) == sorted(rows)
    assert [sorted(test) for test in made.tests()] == [sorted(test) for test in fold("\n".join(rows)).tests()]
    assert len(list((made.folder / "vc1" / "test").iterdir())) <= 4


def test_the_seed_decides_the_folds(fold) -> None:
    text = "".join(f"{number},1,2\n" for number in range(50))
    first, again, other = (fold(text, seed=seed).tests() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_shuffled_folds_are_spread_over_the_whole_input(fold) -> None:
    made = fold("".join(f"{number},1,2\n" for number in range(4000)), count=4)
    for test in made.tests():
        quarters = Counter(int(row.split(",")[0]) // 1000 for row in test)
        # 250 are expected of each quarter, give or take five standard deviations of 12.
        assert all(190 < quarters[quarter] < 310 for quarter in range(4))


@pytest.mark.parametrize("rows", [7, 65_536, 65_537, 300_007])
def test_a_shuffle_is_balanced_to_the_row_and_sorts_rows_by_their_hashes(rows) -> None:
    assert np.all(np.diff(shuffled(rows, 7, seed=3)[np.argsort(hashes_of(0, rows, 3))].astype(int)) >= 0)
    sizes = np.bincount(shuffled(rows, 7, seed=3))[1:].tolist()
    assert sizes == [rows // 7 + (number < rows % 7) for number in range(7)]


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (0, [8050503502868583368, -2888108625965644557, 4017811053625210216, 1686075966665782822]),
        (42, [3679457220061673043, -6001584710029044734, -3056745034752140336, 5669814397020992615]),
        (2147483647, [-5602317569842390673, 1582320767300730264, -1913653144270385649, -2974115165327418676]),
    ],
)
def test_rows_are_hashed_as_ever(seed, expected) -> None:
    """So that a seed goes on making the folds that it made; Spark's ``xxhash64(number, seed)`` gave these."""
    assert hashes_of(0, 200_000, seed)[[0, 1, 2, 199_999]].tolist() == expected


@few
@given(rest=st.lists(st.sampled_from("ABCDEFGHIJKLMN"), min_size=9, max_size=90), seed=st.integers(0, 100))
def test_rows_of_one_group_never_straddle_folds(fold, rest, seed) -> None:
    groups = ["A", "B", "C", *rest]
    text = "y,a,person\n" + "".join(f"{number},1,{group}\n" for number, group in enumerate(groups))
    columns = {"label": "y", "numeric": ["a"], "groups": "person", "seed": seed}
    made = fold(text, **columns, count=3)
    fold_of = defaultdict(set)
    for number, test in enumerate(made.tests()):
        for row in test:
            label, feature = row.split(",")
            fold_of[groups[int(label)]].add(number)
            assert feature == "1"
    assert all(len(folds) == 1 for folds in fold_of.values())
    assert [entry["test_rows"] for entry in made.report["folds"]] == [len(test) for test in made.tests()]
    assert sum(map(len, made.tests())) == len(groups)


def test_groups_are_balanced_as_well_as_their_sizes_allow(fold) -> None:
    text = "".join(f"{number},1,2,group {number % 40}\n" for number in range(400))
    for shuffle in (True, False):
        made = fold(text, groups="who", shuffle=shuffle)
        assert [entry["test_rows"] for entry in made.report["folds"]] == [80] * 5


def test_fewer_groups_than_folds_are_refused(fold) -> None:
    with pytest.raises(Exception, match="the rows have 2 groups: fewer than 5 folds"):
        fold("".join(f"{number},1,2,{number % 2}\n" for number in range(40)), groups="who")


@few
@given(
    labels=st.lists(st.floats(0, 1).map(lambda share: round(1e4 * share**8, 3)), min_size=40, max_size=120),
    folds=st.integers(2, 5),
    bins=st.integers(2, 6),
)
def test_each_fold_has_its_share_of_every_quantile_of_the_label(fold, labels, folds, bins) -> None:
    text = "".join(f"{label},{number},2\n" for number, label in enumerate(labels))
    made = fold(text, count=folds, stratify=bins)
    sizes = [len(test) for test in made.tests()]
    assert max(sizes) - min(sizes) <= 1
    assert sum(sizes) == len(labels)
    ranked = sorted(labels)
    edges = sorted({ranked[len(ranked) * number // bins - 1] for number in range(1, bins)} - {ranked[-1]})
    shares = [Counter(sum(float(row.split(",")[0]) > edge for edge in edges) for row in test) for test in made.tests()]
    for stratum in range(len(edges) + 1):
        counts = [share[stratum] for share in shares]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("given", [{}, {"stratify": 3}], ids=["plain", "by column"])
def test_rows_are_written_shuffled_and_each_file_has_rows_of_the_whole_input(fold, monkeypatch, given) -> None:
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 500)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)
    made = fold({"rows.csv": "".join(f"{number},{number},1\n" for number in range(8000))}, **given, layout="manifest")
    files = list(made.folder.glob("vc*/test/*.csv"))
    assert len(files) > 5
    for file in files:
        places = [int(row.split(",")[0]) / 8000 for row in file.read_text().splitlines()]
        # Not 0.5 each, with a standard deviation of 0.03, as it is spans that a task has at random.
        for start in range(0, len(places) - 100, 100):
            assert 0.25 < np.mean(places[start : start + 100]) < 0.75
        steps = np.sign(np.diff(places))
        assert 0.4 < np.mean(steps > 0) < 0.6


def test_rows_that_are_not_shuffled_keep_the_order_of_the_input(fold, monkeypatch) -> None:
    monkeypatch.setattr("folds.spans.SMALLEST_SPAN", 500)
    monkeypatch.setattr("folds.spans.ONE_TASK_BYTES", 1)
    made = fold({"rows.csv": "".join(f"{number},1,{number % 7}\n" for number in range(3000))}, shuffle=False)
    assert len(list((made.folder / "vc1" / "test").iterdir())) == 1
    assert [int(row.split(",")[0]) for test in made.tests() for row in test] == list(range(3000))


def test_a_shuffle_is_the_same_every_time_and_another_with_another_seed(fold) -> None:
    text = "".join(f"{number},1,2\n" for number in range(500))
    first, again, other = (fold(text, seed=seed) for seed in (1, 1, 2))
    assert (first.tests(), first.train(1)) == (again.tests(), again.train(1))
    assert first.tests() != other.tests()


@pytest.mark.parametrize("shuffle", [True, False])
def test_as_many_groups_as_folds_are_enough_whatever_they_are_called(fold, shuffle) -> None:
    for first in range(0, 300, 3):
        rows = "".join(f"{number},1,2,{first + number % 3}\n" for number in range(30))
        made = fold(rows, groups="who", count=3, shuffle=shuffle)
        assert [entry["test_rows"] for entry in made.report["folds"]] == [10, 10, 10]


def test_the_seed_decides_where_groups_go_whatever_their_sizes_are() -> None:
    sizes = np.arange(10, 60)
    groups = np.repeat(np.arange(50, dtype=np.uint64), sizes)
    dealt = {seed: grouped(groups, 5, seed)[0] for seed in range(20)}
    assert len({folds.tobytes() for folds in dealt.values()}) == 20
    together = [folds[0] == folds[-1] for folds in dealt.values()]
    assert 0 < sum(together) < 20
    for folds in dealt.values():
        rows = np.bincount(folds)[1:]
        assert rows.max() - rows.min() <= 20


def test_a_hundred_thousand_small_groups_are_balanced(monkeypatch) -> None:
    monkeypatch.setattr("folds.deal.GREEDY", 100)
    groups = np.repeat(np.arange(100_000, dtype=np.uint64), 1 + np.arange(100_000) % 3)
    folds, largest = grouped(groups, 7, 1)
    rows = np.bincount(folds, minlength=8)[1:]
    assert largest == 3
    assert rows.sum() == len(groups)
    assert rows.max() - rows.min() <= 6
    firsts = np.flatnonzero(np.diff(groups, prepend=groups[-1]))
    assert all(len(set(folds[first : first + 3][groups[first : first + 3] == groups[first]])) == 1 for first in firsts)


def test_a_group_larger_than_the_others_together_is_told(fold, capsys) -> None:
    rows = "".join(f"{number},1,2,{max(0, number - 60)}\n" for number in range(100))
    made = fold(rows, groups="who", count=4)
    warning = "one group of who holds 61% of the rows: folds differ in size"
    assert warning in capsys.readouterr().out
    assert made.report["warnings"] == [warning]


@pytest.mark.parametrize("given", [{}, {"groups": "who"}, {"stratify": 3}, {"shuffle": False}])
def test_folds_of_equal_sizes_come_without_a_warning(fold, capsys, given) -> None:
    text = "y,a,who\n" + "".join(f"{number},1,{number % 20}\n" for number in range(100))
    made = fold(text, label="y", numeric=["a"], **given)
    assert made.report["warnings"] == []
    assert "warning" not in capsys.readouterr().out
