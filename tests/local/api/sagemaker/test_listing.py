from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.api.sagemaker.listing import page
from local.core.errors import ServiceError


def job(name: str, created: float, status: str = "Completed", modified: float | None = None) -> dict[str, Any]:
    document = {"JobName": name, "JobArn": f"arn:job/{name}", "CreationTime": created, "JobStatus": status}
    return document if modified is None else {**document, "LastModifiedTime": modified}


def names(request: dict[str, Any], items: list[dict[str, Any]], **options: Any) -> list[str]:
    return [item["JobName"] for item in page(request, items, "Jobs", resource="Job", **options)["Jobs"]]


JOBS = [job("b-1", 1.0), job("a-2", 2.0, "Failed", 9.0), job("a-1", 3.0, "Failed"), job("c", 3.0)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["b-1", "a-2", "a-1", "c"]),
        ({"SortOrder": "Descending"}, ["c", "a-1", "a-2", "b-1"]),
        ({"SortBy": "Name"}, ["a-1", "a-2", "b-1", "c"]),
        ({"SortBy": "Status", "SortOrder": "Descending"}, ["a-1", "a-2", "c", "b-1"]),
        ({"NameContains": "-1"}, ["b-1", "a-1"]),
        ({"StatusEquals": "Failed"}, ["a-2", "a-1"]),
        ({"CreationTimeAfter": 1.0, "CreationTimeBefore": 3.0}, ["a-2"]),
        ({"CreatedAfter": 2.0}, ["a-1", "c"]),
        ({"CreationTimeBefore": datetime.fromtimestamp(2, UTC).isoformat()}, ["b-1"]),
        ({"LastModifiedTimeAfter": 3.5}, ["a-2"]),
        ({"LastModifiedTimeBefore": 2.5}, ["b-1"]),
    ],
)
def test_lists_obey_the_filters_and_the_order_that_the_request_names(request_, expected) -> None:
    assert names(request_, JOBS) == expected


def test_the_operations_own_defaults_hold_where_the_request_has_none() -> None:
    assert names({}, JOBS, order="Descending", sort_by="Name") == ["c", "b-1", "a-2", "a-1"]


def test_items_without_a_value_to_sort_by_come_first_and_do_not_break_the_sort() -> None:
    jobs = [{**job("a", 1.0), "Loss": 0.5}, job("b", 2.0), {**job("c", 3.0), "Loss": 0.1}]
    by_loss = {"Loss": lambda item: item.get("Loss")}
    assert names({"SortBy": "Loss"}, jobs, sort_keys=by_loss) == ["b", "c", "a"]


@settings(max_examples=40, deadline=None)
@given(
    created=st.lists(st.integers(0, 4), max_size=12),
    size=st.integers(1, 5),
    order=st.sampled_from(["Ascending", "Descending"]),
    by=st.sampled_from(["Name", "CreationTime", "Status"]),
)
def test_pages_together_hold_every_item_once_and_in_order(created, size, order, by) -> None:
    jobs = [job(f"job-{index}", float(time), f"S{time % 2}") for index, time in enumerate(created)]
    request: dict[str, Any] = {"SortBy": by, "SortOrder": order}
    whole = names(request | {"MaxResults": 100}, jobs)
    paged, token = [], None
    while True:
        answer = page(
            {**request, "MaxResults": size} | ({"NextToken": token} if token else {}), jobs, "Jobs", resource="Job"
        )
        assert len(answer["Jobs"]) <= size
        paged += [item["JobName"] for item in answer["Jobs"]]
        token = answer.get("NextToken")
        if token is None:
            break
    assert paged == whole


def test_a_list_that_changes_between_pages_repeats_and_skips_nothing() -> None:
    jobs = [job(str(index), float(index)) for index in range(6)]
    first = page({"MaxResults": 3}, jobs, "Jobs", resource="Job")
    changed = [job("new", -1.0), *jobs[1:]]
    rest = page({"MaxResults": 9, "NextToken": first["NextToken"]}, changed, "Jobs", resource="Job")
    assert [item["JobName"] for item in rest["Jobs"]] == ["3", "4", "5"]


@pytest.mark.parametrize("token", ["", "nonsense", "bm8=", "WzEsMl0=", "W3RydWUsICJ4IiwgMSwgMV0="])
def test_a_token_that_no_list_gave_is_refused(token) -> None:
    with pytest.raises(ServiceError, match="Invalid pagination token") as caught:
        page({"NextToken": token}, JOBS, "Jobs", resource="Job")
    assert caught.value.code == "ValidationException"


GROUPS = [f"group-{number:02}" for number in range(12)]


@pytest.fixture
def groups(parts):
    for name in GROUPS:
        parts.sagemaker.call("CreateModelPackageGroup", {"ModelPackageGroupName": name})
        for _ in range(2):
            parts.sagemaker.call("CreateModelPackage", {"ModelPackageGroupName": name})
    return parts


def test_a_page_has_ten_items_if_the_request_names_no_number(groups) -> None:
    first = groups.sagemaker.call("ListModelPackageGroups", {})
    request = {"NextToken": first["NextToken"], "MaxResults": 1}
    second = groups.sagemaker.call("ListModelPackageGroups", request)
    third = groups.sagemaker.call("ListModelPackageGroups", {"NextToken": second["NextToken"]})
    pages = [answer["ModelPackageGroupSummaryList"] for answer in (first, second, third)]
    assert [len(found) for found in pages] == [10, 1, 1]
    assert [group["ModelPackageGroupName"] for found in pages for group in found] == GROUPS
    assert "NextToken" not in third


FIRST = ("ListModelPackages", {"ModelPackageGroupName": "group-00", "SortBy": "CreationTime", "MaxResults": 1})


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("ListModelPackages", {"ModelPackageGroupName": "group-01"}),
        ("ListModelPackages", {"SortBy": "Name"}),
        ("ListModelPackages", {"SortOrder": "Descending"}),
        ("ListModelPackages", {"NameContains": "group"}),
        ("ListModelPackageGroups", {"ModelPackageGroupName": None}),
    ],
)
def test_a_token_continues_only_the_list_that_it_is_from(groups, operation, changes) -> None:
    first, request = FIRST
    token = groups.sagemaker.call(first, request)["NextToken"]
    assert groups.sagemaker.call(first, request | {"NextToken": token})["ModelPackageSummaryList"]
    other = {name: value for name, value in (request | changes | {"NextToken": token}).items() if value is not None}
    with pytest.raises(ServiceError, match="Invalid pagination token") as caught:
        groups.sagemaker.call(operation, other)
    assert caught.value.code == "ValidationException"
