"""Bytes that are hardly HTTP, and requests whose head is odd: refused, or answered as HTTP has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.core.settings import ACCESS_KEY
from tests.local.fuzz.conftest import fuzzed
from tests.local.fuzz.sender import check

TARGETS = [
    *(
        b"/",
        b"/seed",
        b"/endpoints/seed/invocations",
        b"*",
        b"//",
        b"http://[/",
        b"http://a:b/",
        b"/%",
        b"/%zz",
        b"/\xff",
        b"",
    ),
    *(
        b"/2015-03-31/functions/seed/invocations",
        b"/2015-03-31/functions/%ff",
        b"/service/a/operation/b",
        b"/v2/credentials/%ff",
    ),
    *(
        b"/?%ff=%fe&Action=%ff",
        b"/?Action=GetUser&Action=GetRole",
        b"/?=",
        b"/" + b"a" * 9000,
        b"/?" + b"a=b&" * 3000,
        b"/#a?b",
    ),
    *(b"/?X-Amz-Signature=a&X-Amz-Credential=%ff/20260101/us-east-1/s3/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256",),
    *(
        b"/?X-Amz-Signature=%C3%A9&X-Amz-Credential=local/20260101/us-east-1/s3/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        b"&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host",
        b"/?X-Amz-Expires=" + b"9" * 5000 + b"&X-Amz-Signature=",
    ),
    *(
        b"/seed/seed?AWSAccessKeyId=%ff&Signature=%ff&Expires=99999999999",
        b"/?AWSAccessKeyId=&Signature=&Expires=" + b"9" * 5000,
    ),
    *(
        b"/seed/seed?AWSAccessKeyId=local&Signature=%C3%A9&Expires=99999999999",
        b"/seed?AWSAccessKeyId=a&xSignature=&Expires=1",
    ),
    *(
        b"/?X-Amz-Expires=%D9%A1&X-Amz-Signature=a&X-Amz-Credential=a/20260101/b/c/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256",
    ),
]
CREDENTIAL = (
    b"AWS4-HMAC-SHA256 Credential=%b/20260101/us-east-1/%b/aws4_request, SignedHeaders=%b, Signature=" + b"0" * 64
)
AUTHORIZATIONS = [
    CREDENTIAL % (key, service, signed)
    for key in (ACCESS_KEY.encode(), b"\xff\xfe", b"a" * 5000)
    for service in (b"s3", b"sagemaker", b"iam", b"\xff", b"lambda")
    for signed in (b"host;x-amz-date", b"host;host")
] + [b"", b"AWS4-HMAC-SHA256", b"AWS a:b", b"Basic \xff", b"AWS4-HMAC-SHA256 " + b"," * 5000]
HEADERS: list[tuple[bytes, bytes]] = [
    *((b"x-amz-date", stamp) for stamp in (b"20260101T000000Z", b"\xff", b"99999999T999999Z", b"2026", b"")),
    *(
        (b"host", host)
        for host in (b"127.0.0.1", b"localhost", b"\xff.localhost", b"[::1]", b"[", b"a:99999999", b"x.localhost:8")
    ),
    *(
        (b"content-length", length)
        for length in (b"0", b"3", b"100", b"-1", b"+3", b"9" * 30, b"3, 3", b"0x3", b"\xb2")
    ),
    *((b"transfer-encoding", coding) for coding in (b"chunked", b"gzip", b"chunked, chunked", b"\xff")),
    *(
        (b"x-amz-content-sha256", digest)
        for digest in (b"UNSIGNED-PAYLOAD", b"\xff", b"", b"STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    ),
    *(
        (b"x-amz-target", name)
        for name in (b"SageMaker.ListModels", b"\xff.\xfe", b".", b"Logs_20140328.", b"a" * 5000)
    ),
    *((b"content-type", kind) for kind in (b"application/x-www-form-urlencoded", b"\xff", b"application/cbor")),
    *(
        (b"smithy-protocol", b"rpc-v2-cbor"),
        (b"expect", b"100-continue"),
        (b"expect", b"\xff"),
        (b"connection", b"close"),
    ),
    *((b"x-amz-security-token", b"\xff"), (b"upgrade", b"websocket"), (b"\xff", b"a"), (b"a b", b"c"), (b"", b"")),
]
BODIES = [
    b"",
    b"abc",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"zz\r\n",
    b"\xff" * 10,
    b"Action=%ff",
    b"{}",
    b"GET / HTTP/1.1\r\n\r\n",
]


def _send_many(target: Any, examples: int) -> None:
    @fuzzed(examples)
    @given(
        st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"\xff", b"GET GET", b"OPTIONS", b"CONNECT"]),
        st.sampled_from(TARGETS),
        st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b""]),
        st.sampled_from([None, None, *AUTHORIZATIONS]),
        st.lists(st.sampled_from(HEADERS), max_size=6),
        st.sampled_from(BODIES),
    )
    def run(
        method: bytes, place: bytes, version: bytes, authorization: bytes | None, headers: Any, body: bytes
    ) -> None:
        own = [(b"authorization", authorization)] if authorization is not None else []
        lines = [(b"host", b"127.0.0.1"), (b"x-amz-date", b"20260101T000000Z"), *own, *headers]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        request = b"%b %b %b\r\n%b\r\n%b" % (method, place, version, head, body)
        # Nothing more comes, so that a service that waits for the rest of a body goes on.
        reply = target.sender.send_bytes(request, method.decode("latin-1"), ends=True)
        check(reply, "raw", None, request)

    run()


def test_odd_bytes(target) -> None:
    _send_many(target, 40)


@pytest.mark.slow
def test_odd_bytes_at_length(target) -> None:
    _send_many(target, 500)


SIGNED = [
    ("sagemaker", b"/", {b"x-amz-target": b"SageMaker.ListModels"}),
    ("sagemaker", b"/endpoints/%ff/invocations", {}),
    ("sagemaker", b"/%zz/../a?%ff", {}),
    ("lambda", b"/2015-03-31/functions/%ff%00?Marker=%ff", {}),
    ("lambda", b"/2015-03-31/functions?MaxItems=" + b"9" * 5000, {}),
    ("iam", b"/?Action=%ff", {}),
    ("iam", b"/", {b"content-type": b"application/x-www-form-urlencoded"}),
    ("cloudformation", b"/", {b"content-type": b"application/x-www-form-urlencoded"}),
    ("monitoring", b"/service/a/operation/PutMetricData", {b"smithy-protocol": b"rpc-v2-cbor"}),
    ("strange", b"/", {}),
    ("s3", b"/seed?%ff", {}),
    ("logs", b"/", {b"x-amz-target": b"Logs_20140328.DescribeLogGroups"}),
    ("events", b"/", {b"x-amz-target": b"AWSEvents.PutEvents"}),
    ("ssm", b"/a/b", {b"x-amz-target": b"AmazonSSM.GetParameter"}),
]
PAYLOADS = [
    *(
        b"",
        b"null",
        b"[]",
        b"1",
        b'"a"',
        b"{",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{}".decode().encode("utf-16"),
        b"[" * 100_000,
    ),
    *(
        b"\x9f" * 10_000,
        b"\xbf" * 10_000,
        b"\xfb\x7f\xf8\0\0\0\0\0\0",
        b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xc0" * 5000,
    ),
    *(
        b"Action=ListRoles&Version=2010-05-08&MaxItems=" + b"9" * 5000,
        b"Action=CreateStack&StackName=a&TemplateBody=%ff",
        b"=&=&",
    ),
    *(
        b"Action=GetRole&RoleName=a&RoleName=b",
        b"Action=ListRoles&" + b".".join([b"a"] * 9000) + b"=1",
        b"Action=\xff",
        b"&" * 99_999,
    ),
    *(
        b"Action=CreateRole&Tags.member.x.Key=a&RoleName=a&AssumeRolePolicyDocument={}",
        b"Action=ListRoles&MaxItems.member.1=1",
    ),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_odd_bodies_of_signed_requests(target, payload) -> None:
    for service, place, headers in SIGNED:
        reply = target.sender.send(service, "POST", place, headers, payload)
        check(reply, "raw", None, (service, place, payload[:100]))
