import io
import json
import re
import textwrap
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from local.core.errors import ServiceError
from local.records.kinds import ASYNCHRONOUS_INVOCATION
from local.runtime.functions import asynchronous

ROLE = "arn:aws:iam::123456789012:role/function"


def zipped(source):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("main.py", textwrap.dedent(source))
    return archive.getvalue()


@pytest.fixture
def client(service):
    return service.client("lambda", read_timeout=60)


@pytest.fixture
def create(client, request):
    created = []

    def make(source, name="a-function", **settings):
        settings = {"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", "Timeout": 20} | settings
        answer = client.create_function(FunctionName=name, Code={"ZipFile": zipped(source)}, **settings)
        created.append(name)
        return answer

    yield make
    for name in created:
        client.delete_function(FunctionName=name)


def invoke(client, event=None, name="a-function", **settings):
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **settings)
    return json.loads(answer["Payload"].read()), answer.get("FunctionError"), answer


def test_the_uploaded_handler_answers_with_its_environment_and_context(client, create) -> None:
    create(
        """
        import os
        def handler(event, context):
            return {
                "doubled": event["number"] * 2,
                "greeting": os.environ["GREETING"],
                "secret": os.environ.get("HOME_OF_THE_USER"),
                "function": [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn],
                "remaining": 0 < context.get_remaining_time_in_millis() <= 7000,
            }
        """,
        Environment={"Variables": {"GREETING": "hello"}},
        MemorySize=256,
        Timeout=7,
    )
    payload, error, _ = invoke(client, {"number": 21})
    assert error is None
    assert payload == {
        "doubled": 42,
        "greeting": "hello",
        "secret": None,
        "function": ["a-function", "256", "arn:aws:lambda:us-east-1:123456789012:function:a-function"],
        "remaining": True,
    }


def test_a_handler_drives_the_service_through_boto3_without_the_users_credentials(
    service, client, create, monkeypatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-users-own")
    create(
        """
        import boto3
        def handler(event, context):
            boto3.client("s3").create_bucket(Bucket="made-by-a-function")
            return boto3.session.Session().get_credentials().access_key[:4]
        """,
        MemorySize=512,
    )
    payload, error, _ = invoke(client, {})
    assert (payload, error) == ("ASIA", None)
    assert (service.settings.buckets / "made-by-a-function").is_dir()


def test_a_package_that_lambda_does_not_ship_is_not_found(client, create) -> None:
    create("import numpy\ndef handler(event, context): pass")
    payload, error, _ = invoke(client)
    assert error == "Unhandled"
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["errorMessage"] == "Unable to import module 'main': No module named 'numpy'"


def test_a_handlers_exception_is_described_as_lambda_does(client, create) -> None:
    create("def handler(event, context):\n    raise ValueError('no such fold')")
    payload, error, answer = invoke(client, LogType="Tail")
    assert error == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no such fold")
    assert "line 2, in handler" in payload["stackTrace"][0]
    assert answer["LogResult"]


def test_a_handler_that_takes_too_long_is_killed(client, create) -> None:
    create("import time\ndef handler(event, context): time.sleep(60)", Timeout=1)
    payload, error, _ = invoke(client)
    assert error == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in payload["errorMessage"]


def test_a_handler_that_takes_too_much_memory_is_killed(client, create) -> None:
    create(
        "import time\ndef handler(event, context):\n"
        "    held = bytearray(300 * 1024 * 1024)\n    held[::4096] = b'x' * len(held[::4096])\n    time.sleep(20)",
        MemorySize=128,
    )
    payload, error, _ = invoke(client)
    assert (payload["errorType"], error) == ("Runtime.ExitError", "Unhandled")
    assert "signal: killed" in payload["errorMessage"]


def test_what_a_handler_prints_is_in_cloudwatch_logs(service, client, create) -> None:
    create(
        "import logging\ndef handler(event, context):\n    print('fold 3')\n    logging.warning('careful')",
        name="logging-function",
    )
    invoke(client, name="logging-function")
    events = service.client("logs").filter_log_events(logGroupName="/aws/lambda/logging-function")["events"]
    messages = [event["message"] for event in events]
    assert "fold 3" in messages
    assert any(message.startswith("[WARNING]") and message.endswith("careful") for message in messages)
    assert [message.split()[0] for message in messages if "RequestId" in message] == ["START", "END", "REPORT"]


def test_logs_go_to_the_log_group_of_the_configuration(service, client, create) -> None:
    source = """
        import os
        def handler(event, context):
            print(event)
            return [context.log_group_name, os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]]
    """
    described = create(source, LoggingConfig={"LogGroup": "shared/functions"})
    assert described["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "shared/functions"}
    assert invoke(client, "first")[0] == ["shared/functions"] * 2
    updated = client.update_function_configuration(FunctionName="a-function", LoggingConfig={"LogFormat": "Text"})
    assert updated["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "shared/functions"}
    client.update_function_configuration(FunctionName="a-function", LoggingConfig={"LogGroup": "/aws/lambda/other"})
    invoke(client, "second")
    logs = service.client("logs")
    for group, message in (("shared/functions", "first"), ("/aws/lambda/other", "second")):
        printed = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        assert len({"first", "second"}.intersection(printed)) == 1
        assert message in printed


REFUSED_SETTINGS: list[tuple[dict, str]] = [
    ({"Runtime": "python3.7"}, "InvalidParameter.*runtime parameter of python3.7 is no longer supported"),
    ({"Environment": {"Variables": {"A1": "v" * 4088}}}, "InvalidParameter.*exceeded the 4KB limit. String measured"),
    ({"LoggingConfig": {"LogFormat": "JSON"}}, "NotImplemented.*LoggingConfig with the LogFormat JSON"),
    ({"LoggingConfig": {"SystemLogLevel": "WARN"}}, "InvalidParameter.*LogLevel is not supported when LogFormat"),
]
REFUSED_TAGS = [
    ({str(number): "" for number in range(51)}, "InvalidParameter.*Number of tags exceeds resource tag limit"),
    ({"AWS:a": "b"}, "InvalidParameter.*aws: prefixed tag key names are not allowed"),
]


def test_settings_that_lambda_refuses_are_refused(client, create) -> None:
    arn = create("def handler(event, context): pass", Environment={"Variables": {"A1": "v" * 4087}})["FunctionArn"]
    for settings, message in REFUSED_SETTINGS:
        with pytest.raises(ClientError, match=message):
            create("", name="another", **settings)
        with pytest.raises(ClientError, match=message):
            client.update_function_configuration(FunctionName=arn, **settings)
    client.tag_resource(Resource=arn, Tags={str(number): "" for number in range(1, 51)})
    for tags, message in REFUSED_TAGS:
        with pytest.raises(ClientError, match=message):
            create("", name="another", Tags=tags)
        with pytest.raises(ClientError, match=message):
            client.tag_resource(Resource=arn, Tags=dict([*tags.items()][:1]))


@pytest.mark.parametrize(
    ("principal", "described"),
    [
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
        ("123456789012", {"AWS": "arn:aws:iam::123456789012:root"}),
        ("arn:aws:iam::123456789012:role/a", {"AWS": "arn:aws:iam::123456789012:role/a"}),
        ("*", "*"),
        ("somebody", None),
        ("arn:aws:s3:::bucket", None),
    ],
)
def test_a_principal_is_a_service_an_account_or_an_identity(client, create, principal, described) -> None:
    create("def handler(event, context): pass")
    request = {"FunctionName": "a-function", "StatementId": "a", "Action": "lambda:InvokeFunction"}
    if described is None:
        with pytest.raises(ClientError, match="The provided principal was invalid"):
            client.add_permission(**request, Principal=principal)
    else:
        statement = json.loads(client.add_permission(**request, Principal=principal)["Statement"])
        assert statement["Principal"] == described


def test_a_function_has_boto3_also_with_a_runtime_that_the_services_boto3_does_not_know(
    service, client, create
) -> None:
    create("import boto3\ndef handler(event, context): return boto3.__name__", name="older", Runtime="python3.9")
    assert invoke(client, name="older")[:2] == ("boto3", None)
    events = service.client("logs").filter_log_events(logGroupName="/aws/lambda/older", filterPattern="INIT_START")
    assert "because the service's boto3 does not run in python3.9" in events["events"][-1]["message"]


def test_code_and_configuration_are_updated(client, create) -> None:
    create("def handler(event, context): return 1")
    updated = client.update_function_code(
        FunctionName="a-function", ZipFile=zipped("def other(event, context): return 2")
    )
    assert updated["LastUpdateStatus"] == "Successful"
    client.get_waiter("function_updated").wait(FunctionName="a-function")
    client.update_function_configuration(FunctionName="a-function", Handler="main.other", Timeout=9)
    client.get_waiter("function_active").wait(FunctionName="a-function")
    assert invoke(client)[0] == 2
    configuration = client.get_function(FunctionName="a-function")["Configuration"]
    assert (configuration["Handler"], configuration["Timeout"]) == ("main.other", 9)


def test_an_update_keeps_the_vpc_and_key_that_it_does_not_name_and_clears_what_is_empty(client, create) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    vpc = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    create("def handler(event, context): pass", VpcConfig=vpc, KMSKeyArn=key)

    def update(**settings):
        client.update_function_configuration(FunctionName="a-function", **settings)
        found = client.get_function_configuration(FunctionName="a-function")
        lists = {name: found["VpcConfig"][name] for name in ("SubnetIds", "SecurityGroupIds")}
        return lists, found.get("KMSKeyArn")

    assert update(Timeout=9) == (vpc, key)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="must coexist or be both empty list"):
        update(VpcConfig={"SubnetIds": []} | {"SecurityGroupIds": ["sg-1"]})
    assert update(VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}) == (
        {"SubnetIds": [], "SecurityGroupIds": []},
        key,
    )
    assert update(KMSKeyArn="")[1] is None


def test_code_is_taken_from_s3(service, client, create) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="function-code")
    s3.put_object(Bucket="function-code", Key="a/function.zip", Body=zipped("def handler(e, c): return 'from s3'"))
    create("def handler(event, context): pass")
    client.update_function_code(FunctionName="a-function", S3Bucket="function-code", S3Key="a/function.zip")
    assert invoke(client)[0] == "from s3"
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.update_function_code(FunctionName="a-function", S3Bucket="function-code", S3Key="missing.zip")


def test_event_invocations_return_at_once_and_dry_runs_run_nothing(service, client, create) -> None:
    create("def handler(event, context): open(event['path'], 'w').close()")
    done = service.settings.root / "done"
    assert client.invoke(FunctionName="a-function", InvocationType="DryRun")["StatusCode"] == 204
    answer = client.invoke(FunctionName="a-function", InvocationType="Event", Payload=json.dumps({"path": str(done)}))
    assert answer["StatusCode"] == 202
    logs = service.client("logs")
    # Not only until the file is there: an invocation whose function is deleted before its end is tried again.
    assert service.parts.store.wait_until(lambda: not service.parts.store.list(ASYNCHRONOUS_INVOCATION), 20)
    assert done.exists()
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/a-function")["logGroups"]


@pytest.mark.parametrize(("successes", "attempts"), [([], 3), ([2], 2)])
def test_a_failed_event_invocation_is_tried_two_more_times_with_the_same_request_id(
    service, client, create, monkeypatch, tmp_path, successes, attempts
) -> None:
    monkeypatch.setattr(asynchronous, "RETRY_PAUSES", (0.01, 0.02))
    create(
        """
        def handler(event, context):
            with open(event["path"], "a+") as file:
                print(context.aws_request_id, file=file, flush=True)
                file.seek(0)
                assert len(file.readlines()) in event["successes"]
        """
    )
    event = {"path": str(tmp_path / "attempts"), "successes": successes}
    client.invoke(FunctionName="a-function", InvocationType="Event", Payload=json.dumps(event))
    store = service.parts.store
    assert store.wait_until(lambda: not store.list(ASYNCHRONOUS_INVOCATION), 20)
    lines = (tmp_path / "attempts").read_text().splitlines()
    assert (len(lines), len(set(lines))) == (attempts, 1)


def test_an_event_waits_for_its_function_if_that_cannot_start_and_ends_with_it(service, client, monkeypatch) -> None:
    monkeypatch.setattr(asynchronous, "_LONGEST_PAUSE", 0.1)
    code = {"ZipFile": zipped("def handler(event, context): pass")}
    client.create_function(FunctionName="lost", Runtime="python3.11", Role=ROLE, Handler="main.handler", Code=code)
    store = service.parts.store
    store.update("function", "lost", lambda record: record.update(State="Failed"))
    client.invoke(FunctionName="lost", InvocationType="Event")
    assert store.wait_until(lambda: any(work["Faults"] > 1 for work in store.list(ASYNCHRONOUS_INVOCATION)), 20)
    client.delete_function(FunctionName="lost")
    assert store.wait_until(lambda: not store.list(ASYNCHRONOUS_INVOCATION), 20)


def test_errors_are_lambdas_own(client, create) -> None:
    create("def handler(event, context): pass")
    with pytest.raises(client.exceptions.ResourceConflictException):
        create("def handler(event, context): pass")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="function:missing"):
        client.get_function(FunctionName="missing")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="missing")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="unzip"):
        client.update_function_code(FunctionName="a-function", ZipFile=b"not a zip")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="a-function", Payload=b"{")
    with pytest.raises(ClientError, match="less than or equal to 900"):
        client.update_function_configuration(FunctionName="a-function", Timeout=901)


ELSEWHERE = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
FOREIGN = "because no resource-based policy allows the lambda:"


@pytest.mark.parametrize(
    ("function", "code", "message"),
    [
        ("arn:aws:lambda:eu-west-1:123456789012:function:a-function", "ResourceNotFoundException", ELSEWHERE),
        ("arn:aws:lambda:eu-west-1:999999999999:function:a-function", "ResourceNotFoundException", ELSEWHERE),
        ("arn:aws:lambda:us-east-1:999999999999:function:a-function", "AccessDeniedException", FOREIGN),
        ("999999999999:function:a-function", "AccessDeniedException", FOREIGN),
    ],
)
def test_functions_of_other_regions_and_accounts_are_out_of_reach(
    service, client, create, function, code, message
) -> None:
    create("def handler(event, context): pass")
    new = {"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", "Code": {"ZipFile": zipped("")}}
    permission = {"StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    requests: dict[str, dict] = {
        **{"create_function": new, "invoke": {}, "delete_function": {}, "get_function": {}, "get_policy": {}},
        **{"get_function_configuration": {}, "update_function_configuration": {"Timeout": 5}},
        **{"update_function_code": {"ZipFile": zipped("")}, "add_permission": permission},
        "remove_permission": {"StatementId": "a"},
    }
    for operation, members in requests.items():
        with pytest.raises(ClientError) as refused:
            getattr(client, operation)(FunctionName=function, **members)
        assert refused.value.response["Error"]["Code"] == code, operation
        assert message in str(refused.value), operation
    if function.startswith("arn"):
        for operation, members in (
            ("tag_resource", {"Tags": {}}),
            ("untag_resource", {"TagKeys": ["a"]}),
            ("list_tags", {}),
        ):
            with pytest.raises(ClientError, match=code):
                getattr(client, operation)(Resource=function, **members)
    for start in (service.parts.functions.invoke, service.parts.functions.invoke_later):
        with pytest.raises(ServiceError, match=re.escape(message)):
            start(function, {})
    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["a-function"]


@pytest.mark.parametrize(
    "function",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:a-function",
        "arn:aws:lambda:us-east-1:123456789012:function:a-function:$LATEST",
        "123456789012:function:a-function",
        "function:a-function",
    ],
)
def test_a_function_has_several_names(client, create, function) -> None:
    create("def handler(event, context): pass")
    assert client.get_function_configuration(FunctionName=function)["FunctionName"] == "a-function"


def test_what_is_not_imitated_is_refused(client, create) -> None:
    create("def handler(event, context): pass")
    with pytest.raises(ClientError, match="UpdateFunctionConfiguration with Layers"):
        client.update_function_configuration(
            FunctionName="a-function", Layers=["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]
        )
    with pytest.raises(ClientError, match="not implemented by the local service: lambda:PublishVersion"):
        client.publish_version(FunctionName="a-function")
    with pytest.raises(ClientError, match="the runtime nodejs"):
        create("", name="another", Runtime="nodejs22.x")


def test_permissions_and_tags_are_kept(client, create) -> None:
    arn = create("def handler(event, context): pass", Tags={"team": "risk"})["FunctionArn"]
    client.add_permission(
        FunctionName="a-function",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    policy = json.loads(client.get_policy(FunctionName="a-function")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "events.amazonaws.com"}
    client.remove_permission(FunctionName="a-function", StatementId="events")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="a-function")
    client.tag_resource(Resource=arn, Tags={"stage": "local"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    assert client.list_tags(Resource=arn)["Tags"] == {"stage": "local"}


def test_functions_are_listed_page_by_page(client, create) -> None:
    for name in ("one", "two", "three"):
        create("def handler(event, context): pass", name=name)
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert [f["FunctionName"] for page in pages for f in page["Functions"]] == ["one", "three", "two"]


def test_a_zip_cannot_write_outside_the_functions_folder(service, client, create) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("../../../../escaped.py", "")
        opened.writestr("main.py", "def handler(event, context): return 'inside'")
    create("def handler(event, context): pass")
    client.update_function_code(FunctionName="a-function", ZipFile=archive.getvalue())
    assert invoke(client)[0] == "inside"
    assert not list(service.settings.root.parent.glob("**/escaped.py")) or all(
        service.settings.functions in path.parents for path in service.settings.root.parent.glob("**/escaped.py")
    )


def test_one_python_call_invokes_a_function(service, create) -> None:
    create("def handler(event, context): return event")
    result = service.parts.functions.invoke("a-function", {"fold": 3})
    assert (result.payload, result.error) == ({"fold": 3}, None)


def test_the_log_says_which_python_ran_the_function(service, create, client) -> None:
    create("import sys\ndef handler(event, context): return list(sys.version_info[:2])", Runtime="python3.12")
    version, error, _ = invoke(client)
    assert error is None
    events = service.client("logs").filter_log_events(
        logGroupName="/aws/lambda/a-function", filterPattern="INIT_START"
    )["events"]
    said = events[-1]["message"]
    assert f"python{version[0]}.{version[1]}" in said
    assert ("because no python3.12 is on this machine" in said) == (version != [3, 12])


def test_ten_invocations_at_once_do_not_mix(service, create) -> None:
    create("def handler(event, context): return [event, context.aws_request_id]")
    with ThreadPoolExecutor(5) as callers:
        results = list(callers.map(lambda number: service.parts.functions.invoke("a-function", number), range(10)))
    assert [result.payload[0] for result in results] == list(range(10))
    assert len({result.payload[1] for result in results}) == 10
    assert list((service.settings.functions / "a-function" / "invocations").iterdir()) == []
