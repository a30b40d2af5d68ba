import http.client
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.aws import sigv4 as access
from local.aws.credentials import KeyRing
from local.aws.wire import RequestHead
from local.core.settings import ACCESS_KEY

LIST_PIPELINES = {"X-Amz-Target": "SageMaker.ListPipelines", "Content-Type": "application/x-amz-json-1.1"}


def signed(service, name="sagemaker", path="/", body=b"{}", secret=None, **headers):
    request = AWSRequest("POST", service.settings.endpoint_url + path, headers=LIST_PIPELINES | headers, data=body)
    SigV4Auth(Credentials(ACCESS_KEY, secret or service.settings.secret_key), name, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def post(service, headers, path="/", body=b"{}", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port, timeout=20)
    connection.request("POST", path, body, headers | ({"Host": host} if host else {}))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer


def test_a_signed_request_is_answered(service) -> None:
    status, content, _ = post(service, signed(service))
    assert (status, json.loads(content)["PipelineSummaries"]) == (200, [])


def test_an_unsigned_request_is_refused(service) -> None:
    status, content, answer = post(service, LIST_PIPELINES)
    assert status == 403
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert b"Missing Authentication Token" in content


def test_a_body_other_than_the_signed_one_is_refused(service) -> None:
    status, content, _ = post(service, signed(service), body=b'{"MaxResults": 1}')
    assert (status, json.loads(content)["__type"]) == (400, "InvalidSignatureException")


def test_a_signature_for_another_operation_is_refused(service) -> None:
    headers = signed(service)
    headers["X-Amz-Target"] = "SageMaker.ListModels"
    status, content, _ = post(service, headers)
    assert (status, json.loads(content)["__type"]) == (400, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("name", "call", "code"),
    [
        ("sagemaker", lambda c: c.list_pipelines(), "InvalidSignatureException"),
        ("sagemaker-runtime", lambda c: c.invoke_endpoint(EndpointName="e", Body=b""), "InvalidSignatureException"),
        ("lambda", lambda c: c.list_functions(), "InvalidSignatureException"),
        ("logs", lambda c: c.describe_log_groups(), "InvalidSignatureException"),
        ("s3", lambda c: c.list_buckets(), "SignatureDoesNotMatch"),
        ("iam", lambda c: c.list_roles(), "SignatureDoesNotMatch"),
        ("cloudwatch", lambda c: c.list_dashboards(), "InvalidSignatureException"),
    ],
)
def test_a_wrong_secret_is_refused_in_the_words_of_each_service(service, name, call, code) -> None:
    client = boto3.client(
        name,
        region_name="us-east-1",
        endpoint_url=service.settings.endpoint_url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="not the secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as refusal:
        call(client)
    assert refusal.value.response["Error"]["Code"] == code
    assert "signature we calculated does not match" in refusal.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("name", "call", "code"),
    [
        ("sagemaker", lambda c: c.list_pipelines(), "UnrecognizedClientException"),
        ("s3", lambda c: c.list_buckets(), "InvalidAccessKeyId"),
        ("sts", lambda c: c.get_caller_identity(), "InvalidClientTokenId"),
    ],
)
def test_the_keys_of_an_aws_account_are_refused_with_a_hint(service, name, call, code) -> None:
    client = boto3.client(
        name,
        region_name="us-east-1",
        endpoint_url=service.settings.endpoint_url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as refusal:
        call(client)
    assert refusal.value.response["Error"]["Code"] == code
    assert "accepts only the access key 'local'" in refusal.value.response["Error"]["Message"]


@pytest.mark.parametrize(("minutes", "words"), [(-16, "is now earlier than"), (16, "is still later than")])
def test_a_signature_of_another_time_is_refused(service, monkeypatch, minutes, words) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment.replace(tzinfo=None), raising=False)
    headers = signed(service)
    assert headers["X-Amz-Date"] == moment.strftime("%Y%m%dT%H%M%SZ")
    status, content, _ = post(service, headers)
    assert (status, json.loads(content)["__type"]) == (400, "InvalidSignatureException")
    assert words in json.loads(content)["message"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", ""])
def test_another_host_name_is_refused_though_the_signature_is_right(service, host) -> None:
    headers = signed(service, Host=host)
    status, content, _ = post(service, headers)
    assert status in (400, 403)
    if host:
        assert b"answers at 127.0.0.1 and localhost only" in content


def test_localhost_is_a_good_name(service) -> None:
    host = f"localhost:{service.settings.port}"
    status, _, _ = post(service, signed(service, Host=host))
    assert status == 200


def test_a_web_page_is_refused_and_gets_no_permission_to_read(service) -> None:
    status, content, answer = post(service, signed(service) | {"Origin": "http://localhost:8888"})
    assert status == 403
    assert b"does not answer web pages" in content
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_the_service_listens_on_this_machine_only(service) -> None:
    connections = psutil.Process().net_connections(kind="tcp")
    addresses = [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
    port = service.settings.port
    assert [address.ip for address in addresses if address.port == port] == ["127.0.0.1"]


def test_s3_checks_the_bytes_that_were_signed(service) -> None:
    service.client("s3").create_bucket(Bucket="signed-bytes")
    request = AWSRequest("PUT", f"{service.settings.endpoint_url}/signed-bytes/key", data=b"signed")
    S3SigV4Auth(Credentials(ACCESS_KEY, service.settings.secret_key), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", service.settings.port)
    connection.request("PUT", "/signed-bytes/key", b"forged", dict(request.headers.items()))
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"XAmzContentSHA256Mismatch" in answer.read()
    assert "Contents" not in service.client("s3").list_objects_v2(Bucket="signed-bytes")


def test_secrets_and_signatures_stay_out_of_every_file(service) -> None:
    post(service, signed(service, secret="a-secret-of-the-user"))
    service.client("sts").get_caller_identity()
    service.client("iam").create_user(UserName="someone")
    logs = [path for path in service.settings.root.rglob("*.log") if path.is_file()]
    for path in logs:
        assert b"Signature=" not in path.read_bytes()
        assert service.settings.secret_key.encode() not in path.read_bytes()
    kept = json.dumps(service.parts.store.list("moto-request"))
    assert "CreateUser" in kept
    assert set(re.findall("Signature=(\\w*)", kept)) == {"0"}


TEXT = st.text(alphabet="abAB01 ~-_.+/%:=&é", max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    segments=st.lists(TEXT.filter(lambda t: t.strip("/") not in (".", "..")), max_size=3),
    fields=st.dictionaries(TEXT.filter(bool), TEXT, max_size=3),
    value=st.text(alphabet="ab  \t", max_size=6),
    s3=st.booleans(),
)
def test_whatever_botocore_signs_is_accepted(segments, fields, value, s3) -> None:
    from urllib.parse import quote, urlencode, urlsplit

    path = "/" + "/".join(quote(segment, safe="~-_.") for segment in segments)
    query = urlencode(sorted(fields.items()), quote_via=quote)
    url = f"http://127.0.0.1:8566{path}" + (f"?{query}" if query else "")
    request = AWSRequest("POST", url, headers={"X-Amz-Meta-Note": value}, data=b"body")
    signer, name = (S3SigV4Auth, "s3") if s3 else (SigV4Auth, "sagemaker")
    keys = KeyRing("the-secret")
    signer(Credentials(ACCESS_KEY, "the-secret"), name, "us-east-1").add_auth(request)
    headers = {k.lower().encode(): v.encode() for k, v in request.headers.items()}
    headers[b"host"] = b"127.0.0.1:8566"
    parts = urlsplit(request.url)
    head = RequestHead("POST", str(parts.path).encode(), str(parts.query).encode(), headers)
    signature = access.read_signature(head)
    payload_hash = b"230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
    access.verify(signature, head, payload_hash, access.find_signer(signature, head, keys))


def test_the_aws_cli_is_told_what_is_wrong(service) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("aws")), "sagemaker", "list-pipelines"],
        env=service.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "InvalidSignatureException" in done.stderr
