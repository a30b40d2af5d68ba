"""What requests to CloudWatch Logs may ask for, and which events, groups and streams they find."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

GROUP = "/requests/Group"
NOW = int(time.time() * 1000) - 60_000
ARN = "arn:aws:logs:{}:{}:log-group:" + GROUP


@pytest.fixture(scope="module")
def client(service):
    client = service.client("logs", parameter_validation=False)
    client.create_log_group(logGroupName=GROUP)
    for stream, offset in (("a", 30), ("b", 20), ("c", 10)):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        put(client, stream, offset)
    return client


def put(client, stream, *offsets):
    events = [{"timestamp": NOW + offset, "message": f"{stream} {offset}"} for offset in offsets]
    return client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@pytest.mark.parametrize(
    ("operation", "members", "words"),
    [
        ("create_log_group", {"logGroupName": "aws/x"}, "Log groups starting with AWS/ are reserved for AWS"),
        ("create_log_group", {"logGroupName": "AWS/x"}, "reserved for AWS"),
        (
            "describe_log_streams",
            {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "a"},
            r"Cannot order by LastEventTime with a logStreamNamePrefix\.",
        ),
        ("describe_log_streams", {"logGroupName": GROUP, "logGroupIdentifier": GROUP}, "but not both"),
        ("get_log_events", {"logGroupName": GROUP, "logGroupIdentifier": GROUP, "logStreamName": "a"}, "not both"),
        ("filter_log_events", {"logGroupName": GROUP, "logGroupIdentifier": GROUP}, "but not both"),
        (
            "filter_log_events",
            {"logGroupName": GROUP, "logStreamNames": ["a"], "logStreamNamePrefix": "a"},
            "logStreamNames or logStreamNamePrefix, but not both",
        ),
        ("describe_log_groups", {"logGroupNamePrefix": "/r", "logGroupNamePattern": "G"}, "but not both"),
        *(
            ("describe_log_groups", {"nextToken": token}, "nextToken is invalid")
            for token in ("999", "OTk5", "é", "//8=")
        ),
        ("describe_log_streams", {"logGroupName": GROUP, "nextToken": "1"}, "nextToken is invalid"),
        ("filter_log_events", {"logGroupName": GROUP, "nextToken": "1"}, "nextToken is invalid"),
        *(
            (
                "get_log_events",
                {"logGroupName": GROUP, "logStreamName": "a", "nextToken": token},
                "nextToken is invalid",
            )
            for token in ("1", "x/1", "f/", "f/999", "b/999")
        ),
    ],
)
def test_requests_that_cloudwatch_refuses_are_refused(client, operation, members, words) -> None:
    with pytest.raises(ClientError, match=words) as refusal:
        getattr(client, operation)(**members)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("region", "account", "is_here"),
    [
        ("us-east-1", "123456789012", True),
        ("eu-west-1", "123456789012", False),
        ("us-east-1", "999999999999", False),
    ],
)
def test_an_arn_of_another_region_or_account_is_not_found(client, region, account, is_here) -> None:
    def read():
        return client.get_log_events(logGroupIdentifier=ARN.format(region, account), logStreamName="a")["events"]

    if is_here:
        assert read()
    else:
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            read()


def test_the_end_of_a_time_range_is_included_by_filter_log_events_only(client) -> None:
    client.create_log_stream(logGroupName=GROUP, logStreamName="range")
    put(client, "range", 1, 2, 3)
    times = {"logGroupName": GROUP, "startTime": NOW + 1, "endTime": NOW + 2}
    got = client.get_log_events(**times, logStreamName="range")["events"]
    found = client.filter_log_events(**times, logStreamNames=["range"])["events"]
    assert [event["message"] for event in got] == ["range 1"]
    assert [event["message"] for event in found] == ["range 1", "range 2"]
    client.delete_log_stream(logGroupName=GROUP, logStreamName="range")


@pytest.mark.parametrize(("pattern", "found"), [("Group", 1), ("group", 0), ("requests/G", 1)])
def test_a_pattern_of_group_names_minds_case(client, pattern, found) -> None:
    groups = client.describe_log_groups(logGroupNamePattern=pattern)["logGroups"]
    assert [set(group) for group in groups] == [{"arn", "creationTime", "logGroupName"}] * found


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ({}, "abc"),
        ({"descending": True}, "cba"),
        ({"orderBy": "LastEventTime"}, "cba"),
        ({"orderBy": "LastEventTime", "descending": True}, "abc"),
    ],
)
def test_pages_follow_each_other_in_any_order(client, order, names) -> None:
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=GROUP, PaginationConfig={"PageSize": 1}, **order
    )
    assert "".join(stream["logStreamName"] for page in pages for stream in page["logStreams"]) == names


def test_the_next_page_is_right_after_a_deletion(client) -> None:
    names = [f"/deleted/{number}" for number in range(3)]
    for name in names:
        client.create_log_group(logGroupName=name)
    first = client.describe_log_groups(logGroupNamePrefix="/deleted", limit=2)
    for name in names[:2]:
        client.delete_log_group(logGroupName=name)
    second = client.describe_log_groups(logGroupNamePrefix="/deleted", limit=2, nextToken=first["nextToken"])
    assert [group["logGroupName"] for group in second["logGroups"]] == names[2:]


def test_events_are_read_in_the_order_of_their_times(client) -> None:
    client.create_log_stream(logGroupName=GROUP, logStreamName="late")
    for offsets in ((50,), (10, 50, 70), (20,)):
        put(client, "late", *offsets)
    (stream,) = client.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="late")["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (NOW + 10, NOW + 70)
    events = client.get_log_events(logGroupName=GROUP, logStreamName="late", startFromHead=True)["events"]
    assert [event["timestamp"] - NOW for event in events] == [10, 20, 50, 50, 70]
    client.delete_log_stream(logGroupName=GROUP, logStreamName="late")


def test_old_events_are_rejected_by_the_groups_retention(client) -> None:
    client.create_log_group(logGroupName="/kept-a-day")
    client.put_retention_policy(logGroupName="/kept-a-day", retentionInDays=1)
    client.create_log_stream(logGroupName="/kept-a-day", logStreamName="s")
    times = [NOW - 15 * 86_400_000, NOW - 2 * 86_400_000, NOW, 2**62]
    answer = client.put_log_events(
        logGroupName="/kept-a-day",
        logStreamName="s",
        logEvents=[{"timestamp": each, "message": "x"} for each in times[:1] + times[2:]],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    answer = client.put_log_events(
        logGroupName="/kept-a-day", logStreamName="s", logEvents=[{"timestamp": times[1], "message": "x"}]
    )
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert len(client.get_log_events(logGroupName="/kept-a-day", logStreamName="s")["events"]) == 1
