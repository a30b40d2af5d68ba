from __future__ import annotations

import pytest
from evaluation.errors import SelectionError
from evaluation.jobs import Job, Search
from evaluation.objective import MEAN_SQUARED_ERROR, Objective
from evaluation.points import points_of
from evaluation.rules import LOWEST_MEAN_MSE, ONE_STANDARD_ERROR, best_job, choose

EQUAL = [100] * 5


def jobs(*points: tuple[dict[str, str], list[float | None]]) -> list[Job]:
    """Return the jobs of points, each with its errors by fold; None is a failed job."""
    return [
        Job(
            fold,
            f"{number}-{fold}",
            f"tune-{fold}",
            hyperparameters,
            error,
            None if error is not None else f"{number}-{fold} is Failed",
        )
        for number, (hyperparameters, errors) in enumerate(points)
        for fold, error in enumerate(errors, start=1)
    ]


def point(l1: str, learning_rate: str = "0.1") -> dict[str, str]:
    return {"l1": l1, "learning_rate": learning_rate}


Tried = tuple[dict[str, str], list[float | None]]

# One low fold, the lowest mean, and a larger penalty that is nearly as good.
LUCKY: Tried = (point("0.001"), [1.0, 9.0, 9.0, 9.0, 9.0])
BEST: Tried = (point("0.01"), [4.0, 5.0, 6.0, 5.0, 5.0])
SPARSE: Tried = (point("0.1"), [4.4, 5.3, 5.6, 5.4, 5.2])


def chosen(rule: str, *points, rows=EQUAL, objective=MEAN_SQUARED_ERROR) -> dict[str, str]:
    if rule == "lowest_mse":
        search = Search("Grid", jobs(*points))
        return best_job(search, points_of(search.jobs, len(rows)), objective).hyperparameters
    return choose(rule, points_of(jobs(*points), len(rows)), rows, objective).hyperparameters


@pytest.mark.parametrize(
    ("rule", "expected"), [("lowest_mse", LUCKY), (LOWEST_MEAN_MSE, BEST), (ONE_STANDARD_ERROR, SPARSE)]
)
def test_each_rule_chooses_another_point_of_the_same_search(rule, expected) -> None:
    assert chosen(rule, LUCKY, BEST, SPARSE) == expected[0]


def test_the_mean_counts_rows_so_that_large_folds_weigh_more() -> None:
    one, other = (point("1"), [1.0, 10.0]), (point("2"), [6.0, 6.0])
    assert chosen(LOWEST_MEAN_MSE, one, other, rows=[10, 10]) == one[0]
    assert chosen(LOWEST_MEAN_MSE, one, other, rows=[1, 100]) == other[0]


def test_equal_means_go_to_the_larger_l1_then_to_the_smaller_learning_rate() -> None:
    errors: list[float | None] = [4.0, 6.0]
    close: list[float | None] = [4.0, 6.0 * (1 + 1e-7)]
    points = [
        (point("0.01", "0.1"), errors),
        (point("0.1", "0.1"), close),
        (point("0.1", "0.01"), close),
    ]
    assert chosen(LOWEST_MEAN_MSE, *points, rows=[1, 1]) == point("0.1", "0.01")
    assert chosen(LOWEST_MEAN_MSE, (point("9"), [4.0, 6.1]), *points, rows=[1, 1]) == point("0.1", "0.01")


def test_a_point_that_is_worse_in_every_fold_by_the_same_amount_is_not_within_one_standard_error() -> None:
    shifted = (point("1"), [error + 0.01 for error in (4.0, 5.0, 6.0, 5.0, 5.0)])
    assert chosen(ONE_STANDARD_ERROR, BEST, shifted) == BEST[0]


def test_one_standard_error_takes_the_lowest_mean_of_the_largest_admitted_penalty() -> None:
    other = (point("0.1", "0.01"), [4.3, 5.2, 5.7, 5.3, 5.1])
    assert chosen(ONE_STANDARD_ERROR, BEST, SPARSE, other) == other[0]


def test_a_point_with_a_failed_job_is_not_eligible_under_any_rule() -> None:
    failed: Tried = (point("5"), [0.1, 0.1, None, 0.1, 0.1])
    for rule in ("lowest_mse", LOWEST_MEAN_MSE, ONE_STANDARD_ERROR):
        assert chosen(rule, BEST, failed) == BEST[0]
    points = points_of(jobs(BEST, failed), 5)
    assert [point.faults for point in points] == [[], ["fold 3: 1-3 is Failed"]]


def test_a_point_that_a_fold_did_not_try_is_not_eligible() -> None:
    known = [job for job in jobs(BEST, SPARSE) if job.name != "1-2"]
    assert points_of(known, 5)[1].faults == ["fold 2: no training job"]


def test_if_no_point_is_eligible_the_error_gives_the_reasons() -> None:
    nothing: Tried = (point("5"), [1.0, None])
    for rule in ("lowest_mse", LOWEST_MEAN_MSE):
        with pytest.raises(SelectionError, match=r"none of 1 point .*l1=5 learning_rate=0.1: fold 2: 0-2 is Failed"):
            chosen(rule, nothing, rows=[1, 1])


def test_numbers_that_are_written_differently_are_the_same_point() -> None:
    search = [
        Job(1, "a", "tune-1", {"l1": "0.10"}, 1.0),
        Job(2, "b", "tune-2", {"l1": "1e-1"}, 2.0),
        Job(2, "c", "tune-2", {"l1": "text"}, 2.0),
    ]
    points = points_of(search, 2)
    assert [[job and job.name for job in point.jobs] for point in points] == [["a", "b"], [None, "c"]]


def test_a_second_job_of_the_same_point_replaces_one_that_failed() -> None:
    search = [Job(1, "a", "t", {"l1": "1"}, None, "a is Failed"), Job(1, "b", "t", {"l1": "1"}, 3.0)]
    assert points_of(search, 1)[0].values == [3.0]


def test_equal_jobs_are_won_by_the_first_fold() -> None:
    search = Search("Grid", jobs((point("1"), [2.0, 1.0, 1.0])))
    assert best_job(search, points_of(search.jobs, 3), MEAN_SQUARED_ERROR).fold == 2


def test_after_a_bayesian_search_every_completed_job_counts() -> None:
    search = Search("Bayesian", [Job(1, "a", "t", {"l1": "1"}, 3.0), Job(2, "b", "t", {"l1": "2"}, 1.0)])
    assert best_job(search, points_of(search.jobs, 2), MEAN_SQUARED_ERROR).name == "b"
    with pytest.raises(SelectionError, match="no training job of any fold"):
        best_job(Search("Bayesian", []), [], MEAN_SQUARED_ERROR)


AUC = Objective("validation:auc", maximize=True)


@pytest.mark.parametrize("rule", ["lowest_mse", LOWEST_MEAN_MSE, ONE_STANDARD_ERROR])
def test_a_metric_to_maximise_mirrors_one_to_minimise(rule) -> None:
    def mirrored(point: Tried) -> Tried:
        return point[0], [None if error is None else 1 - error / 10 for error in point[1]]

    points = [LUCKY, BEST, SPARSE]
    assert chosen(rule, *map(mirrored, points), objective=AUC) == chosen(rule, *points)


def test_of_equal_trees_the_shallower_and_fewer_win() -> None:
    def trees(max_depth: str, num_round: str) -> Tried:
        return {"max_depth": max_depth, "num_round": num_round}, [1.0, 2.0]

    points = [trees("6", "50"), trees("3", "100"), trees("3", "50")]
    assert chosen(LOWEST_MEAN_MSE, *points, rows=[1, 1]) == {"max_depth": "3", "num_round": "50"}
    assert chosen(ONE_STANDARD_ERROR, *points, rows=[1, 1]) == {"max_depth": "3", "num_round": "50"}
