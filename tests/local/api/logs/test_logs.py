import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.storage.log_files import Logs

GROUP = "/aws/sagemaker/TrainingJobs"
DAY = 24 * 3600 * 1000


@pytest.fixture
def logs(service):
    yield service.parts.logs
    for name, _ in service.parts.logs.groups():
        service.parts.logs.delete_group(name)


@pytest.fixture
def client(service):
    return service.client("logs")


def test_lines_are_kept_in_a_file_that_a_person_can_read(logs) -> None:
    logs.append(GROUP, "job-1/algo-1-17", ["#quality_metric: host=algo-1", "second line"])
    path = logs.path(GROUP, "job-1/algo-1-17")
    assert [line.split(" ", 1)[1] for line in path.read_text().splitlines()] == [
        "#quality_metric: host=algo-1",
        "second line",
    ]


def test_streams_and_events_are_found_through_the_api(logs, client) -> None:
    logs.append(GROUP, "job-1/algo-1-17", ["one", "two"])
    logs.append(GROUP, "job-2/algo-1-18", ["three"])
    logs.append(f"{GROUP}/nested", "stream", ["of another group"])
    names = [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]]
    assert names == [GROUP, f"{GROUP}/nested"]
    streams = client.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["job-1/algo-1-17", "job-2/algo-1-18"]
    events = client.get_log_events(logGroupName=GROUP, logStreamName="job-1/algo-1-17", startFromHead=True)
    assert [event["message"] for event in events["events"]] == ["one", "two"]
    found = client.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="job-2")["events"]
    assert [event["message"] for event in found] == ["three"]


def test_reading_on_with_the_forward_token_gives_each_event_once_and_then_the_same_token(logs, client) -> None:
    logs.append(GROUP, "stream", [f"line {number}" for number in range(5)])
    token: dict[str, Any] = {}
    seen: list[Any] = []
    for _ in range(6):
        page = client.get_log_events(logGroupName=GROUP, logStreamName="stream", startFromHead=True, limit=2, **token)
        seen += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
    assert seen == [f"line {number}" for number in range(5)]
    back = client.get_log_events(logGroupName=GROUP, logStreamName="stream", limit=2)
    assert [event["message"] for event in back["events"]] == ["line 3", "line 4"]
    before = client.get_log_events(
        logGroupName=GROUP, logStreamName="stream", limit=2, nextToken=back["nextBackwardToken"]
    )
    assert [event["message"] for event in before["events"]] == ["line 1", "line 2"]


def test_filtered_pages_hold_every_event_once(logs, client) -> None:
    logs.append(GROUP, "stream", [f"line {number}" for number in range(25)])
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 4})
    events = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in events] == [f"line {number}" for number in range(25)]
    assert len({event["eventId"] for event in events}) == 25


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("ERROR", ["ERROR fold 1", "ERROR fold 2"]),
        ('"fold 2"', ["ERROR fold 2", "WARN fold 2"]),
        ("ERROR -1", ["ERROR fold 2"]),
        ("?WARN ?1", ["ERROR fold 1", "WARN fold 2"]),
    ],
)
def test_terms_filter_events(logs, client, pattern, found) -> None:
    logs.append(GROUP, "stream", ["ERROR fold 1", "ERROR fold 2", "WARN fold 2"])
    events = client.filter_log_events(logGroupName=GROUP, filterPattern=pattern)["events"]
    assert [event["message"] for event in events] == found


def test_a_filter_pattern_of_another_kind_is_refused(logs, client) -> None:
    logs.append(GROUP, "stream", ["{}"])
    with pytest.raises(ClientError, match="not implemented by the local service: logs:filter patterns"):
        client.filter_log_events(logGroupName=GROUP, filterPattern="{ $.level = 1 }")


def test_clients_write_logs_too(logs, client) -> None:
    client.create_log_group(logGroupName="mine")
    client.create_log_stream(logGroupName="mine", logStreamName="a")
    now = int(time.time() * 1000)
    client.put_log_events(logGroupName="mine", logStreamName="a", logEvents=[{"timestamp": now, "message": "hello"}])
    [event] = client.filter_log_events(logGroupName="mine")["events"]
    assert (event["timestamp"], event["message"]) == (now, "hello")
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName="mine")
    client.delete_log_group(logGroupName="mine")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_log_streams(logGroupName="mine")


def test_a_groups_retention_and_tags_are_described(client) -> None:
    client.create_log_group(logGroupName="/kept", tags={"team": "claims"})

    def described():
        (group,) = client.describe_log_groups(logGroupNamePrefix="/kept")["logGroups"]
        return group

    assert "retentionInDays" not in described()
    client.put_retention_policy(logGroupName="/kept", retentionInDays=90)
    client.create_log_stream(logGroupName="/kept", logStreamName="s")
    assert described()["retentionInDays"] == 90
    client.delete_retention_policy(logGroupName="/kept")
    assert "retentionInDays" not in described()
    assert client.list_tags_for_resource(resourceArn=described()["logGroupArn"])["tags"] == {"team": "claims"}
    with pytest.raises(client.exceptions.InvalidParameterException):
        client.put_retention_policy(logGroupName="/kept", retentionInDays=91)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.put_retention_policy(logGroupName="/nowhere", retentionInDays=90)


def test_the_aws_cli_reads_a_group(service, logs) -> None:
    logs.append(GROUP, "job-1/algo-1-17", ["epoch 1", "epoch 2"])
    command = ["logs", "filter-log-events", "--log-group-name", GROUP, "--query", "events[].message"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("aws")), *command, "--output", "json"],
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["epoch 1", "epoch 2"]


def test_a_line_that_is_still_being_written_is_not_read(tmp_path) -> None:
    logs = Logs(tmp_path)
    logs.append("group", "stream", ["whole"])
    with logs.path("group", "stream").open("a") as file:
        file.write("2026-01-31T12:00:00.000Z half")
    assert [event.message for event in logs.events("group", ["stream"])] == ["whole"]


@pytest.mark.parametrize("name", ["../outside", "a/../../b", "..", ""])
def test_no_name_leaves_the_folder_of_logs(tmp_path, name) -> None:
    logs = Logs(tmp_path / "logs")
    with pytest.raises(Exception, match="not a valid name"):
        logs.append(name, "stream", ["x"])
    with pytest.raises(Exception, match="not a valid name"):
        logs.append("group", name, ["x"])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".log"] == []


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([(1, "x" * (1024 * 1024 - 25))], "Log event too large: 1048577 bytes exceeds limit of 1048576"),
        ([(1, "é" * (512 * 1024))], "Log event too large: 1048602 bytes"),
        ([(1, "x" * 600_000), (2, "x" * 600_000)], "Upload too large: 1200052 bytes exceeds limit of 1048576"),
        ([(2, "later"), (1, "earlier")], "must be in chronological order"),
        ([(0, "first"), (DAY + 1, "last")], "cannot span more than 24 hours"),
    ],
)
def test_events_that_cloudwatch_refuses_are_refused(client, logs, events, words) -> None:
    base = int(time.time() * 1000) - 2 * DAY
    at = {"logGroupName": "own", "logStreamName": "stream"}
    client.create_log_group(logGroupName="own")
    client.create_log_stream(**at)
    with pytest.raises(ClientError, match=words):
        client.put_log_events(**at, logEvents=[{"timestamp": base + t, "message": text} for t, text in events])
    assert client.get_log_events(**at)["events"] == []
    largest = "x" * (1024 * 1024 - 26)
    client.put_log_events(**at, logEvents=[{"timestamp": base, "message": largest}])
    assert [event["message"] for event in client.get_log_events(**at)["events"]] == [largest]


@pytest.mark.parametrize("order", [1, -1])
def test_groups_whose_names_would_share_a_folder_are_apart(service, logs, client, order) -> None:
    lines = {("/g", "x"): "1", ("g", "x"): "2", ("a", "b/c"): "3", ("a/b", "c"): "4", ("/a/b", "c"): "5"}
    for group, stream in list(lines)[::order]:
        client.create_log_group(logGroupName=group)
        logs.append(group, stream, [lines[group, stream]])
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        client.create_log_group(logGroupName="g")
    again = Logs(service.settings.logs)
    assert [name for name, _ in again.groups()] == sorted(group for group, _ in lines)
    for (group, stream), line in lines.items():
        assert again.streams(group) == [stream]
        assert [event.message for event in again.stream_events(group, stream)] == [line]
    for group, _ in lines:
        client.delete_log_group(logGroupName=group)
        assert group not in [name for name, _ in logs.groups()]
    assert logs.groups() == []


def test_events_of_the_far_future_are_rejected(client) -> None:
    client.create_log_group(logGroupName="future")
    client.create_log_stream(logGroupName="future", logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "kept"}, {"timestamp": 2**62, "message": "too new"}]
    answer = client.put_log_events(logGroupName="future", logStreamName="s", logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    kept = client.get_log_events(logGroupName="future", logStreamName="s")["events"]
    assert [event["message"] for event in kept] == ["kept"]
    with pytest.raises(ClientError, match="InvalidParameterException"):
        client.describe_log_groups(nextToken="9" * 5000)
