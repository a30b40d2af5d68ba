"""Check the settings of buckets, and answer for those that are the same for every bucket here.

Moto stores and returns settings. A setting that would change what happens to objects, but does not do so here, is
refused by name. An example is a lifecycle rule that expires objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from starlette.responses import Response

from local.api.s3.errors import not_implemented, s3_error
from local.api.s3.tags import check_tags_of_bucket
from local.api.s3.xml import parse_xml, xml_response

RECORDED = {
    *("acl", "cors", "encryption", "lifecycle", "logging", "notification", "ownershipControls", "policy"),
    *("policyStatus", "publicAccessBlock", "tagging"),
}
"""Settings of a bucket that can be read and changed."""

READ_ONLY = {"replication", "object-lock", "accelerate", "website", "versioning", "requestPayment"}
"""Settings that can be read but not changed, because a change would have no effect."""

_LIFECYCLE_WITHOUT_EFFECT = {
    *("ID", "Prefix", "Filter", "Status"),
    # Buckets have no versions here, so there are no noncurrent ones.
    *("NoncurrentVersionExpiration", "NoncurrentVersionTransition"),
}
_DELETABLE = {
    *("cors", "encryption", "lifecycle", "ownershipControls", "policy", "publicAccessBlock", "replication", "tagging"),
    "website",
}
_ENFORCED = "BucketOwnerEnforced"
_SECURE_TRANSPORT = {"Bool": {"aws:SecureTransport": "false"}}


def check_method(name: str, method: str) -> None:
    """Refuse a method that S3 does not have for a setting.

    Raises:
        ServiceError: MethodNotAllowed.
    """
    if method not in ("GET", "PUT") and not (method == "DELETE" and name in _DELETABLE):
        raise s3_error("MethodNotAllowed", Method=method, ResourceType="BUCKET")


def check_change(name: str, method: str, body: bytes) -> None:
    """Refuse a change of a setting that would have no effect.

    Args:
        name: the setting.
        method: PUT or DELETE.
        body: the request's body.

    Raises:
        ServiceError: NotImplemented with the name of the setting; AccessControlListNotSupported; MalformedXML or
            MalformedPolicy.
    """
    if name in READ_ONLY:
        raise not_implemented(f"?{name} of a bucket")
    if method == "PUT" and name in _CHECKS:
        _CHECKS[name](body)
    elif method == "DELETE" and name == "ownershipControls":
        raise not_implemented(f"{method} ?{name} of a bucket")


def fixed_answer(name: str, method: str) -> Response | None:
    """Return the response about a setting that all buckets have alike, or None for any other setting.

    Args:
        name: the setting.
        method: GET, or the method of a change that ``check_change`` permits.
    """
    if name not in _FIXED:
        return None
    return xml_response(*_FIXED[name]) if method == "GET" else Response()


def default_encryption_answer() -> Response:
    """Return the response about the encryption of a bucket for which none was set.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
    """
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    return xml_response("ServerSideEncryptionConfiguration", {"Rule": rule})


def _check_encryption(body: bytes) -> None:
    rules = list(parse_xml(body, "ServerSideEncryptionConfiguration"))
    if [rule.tag for rule in rules] != ["Rule"]:
        raise s3_error("MalformedXML")
    members = _members(rules[0], "ApplyServerSideEncryptionByDefault", "BucketKeyEnabled")
    default = members.get("ApplyServerSideEncryptionByDefault")
    if default is None:
        raise s3_error("MalformedXML")
    inner = _members(default, "SSEAlgorithm", "KMSMasterKeyID")
    algorithm = inner["SSEAlgorithm"].text if "SSEAlgorithm" in inner else None
    if algorithm == "aws:kms:dsse":
        raise not_implemented("PutBucketEncryption with SSEAlgorithm: aws:kms:dsse")
    if algorithm not in ("AES256", "aws:kms"):
        raise s3_error("MalformedXML")
    if algorithm == "AES256" and "KMSMasterKeyID" in inner:
        raise s3_error(
            "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms"
        )


def _check_lifecycle(body: bytes) -> None:
    for rule in parse_xml(body, "LifecycleConfiguration"):
        status = rule.findtext("Status", "").strip()
        if rule.tag != "Rule" or status not in ("Enabled", "Disabled"):
            raise s3_error("MalformedXML")
        if status == "Enabled":
            _refuse_others("an enabled lifecycle rule", rule, _LIFECYCLE_WITHOUT_EFFECT)


def _check_logging(body: bytes) -> None:
    _refuse_others("PutBucketLogging", parse_xml(body, "BucketLoggingStatus"), set())


def _check_notification(body: bytes) -> None:
    _refuse_others("bucket notifications", parse_xml(body, "NotificationConfiguration"), {"EventBridgeConfiguration"})


def _check_ownership(body: bytes) -> None:
    rules = [rule.findtext("ObjectOwnership", "").strip() for rule in parse_xml(body, "OwnershipControls")]
    if len(rules) != 1:
        raise s3_error("MalformedXML")
    if rules[0] != _ENFORCED:
        raise not_implemented(f"PutBucketOwnershipControls with ObjectOwnership: {rules[0]}")


def _check_policy(body: bytes) -> None:
    """Refuse statements that deny: the service checks no permissions. Requests of the owner need no Allow."""
    try:
        policy = json.loads(body)
    except (ValueError, RecursionError):
        policy = None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    found: list[Any] = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(statement, dict) for statement in found):
        raise s3_error("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    for statement in found:
        # Requests from this machine count as encrypted ones.
        if statement.get("Effect") != "Allow" and statement.get("Condition") != _SECURE_TRANSPORT:
            raise not_implemented(f"PutBucketPolicy with Effect: {statement.get('Effect')}")


def _check_root(root: str) -> Callable[[bytes], None]:
    def check(body: bytes) -> None:
        parse_xml(body, root)

    return check


def _check_acl(_: bytes) -> None:
    raise s3_error("AccessControlListNotSupported")


def _members(element: Element, *known: str) -> dict[str, Element]:
    _refuse_others("PutBucketEncryption", element, set(known))
    return {member.tag: member for member in element}


def _refuse_others(what: str, element: Element, known: set[str]) -> None:
    if unknown := {member.tag for member in element} - known:
        raise not_implemented(f"{what} with {min(unknown)}")


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "acl": _check_acl,
    "cors": _check_root("CORSConfiguration"),
    "encryption": _check_encryption,
    "lifecycle": _check_lifecycle,
    "logging": _check_logging,
    "notification": _check_notification,
    "ownershipControls": _check_ownership,
    "policy": _check_policy,
    "publicAccessBlock": _check_root("PublicAccessBlockConfiguration"),
    "tagging": check_tags_of_bucket,
}
_FIXED: dict[str, tuple[str, dict[str, Any]]] = {
    "logging": ("BucketLoggingStatus", {}),
    "ownershipControls": ("OwnershipControls", {"Rule": {"ObjectOwnership": _ENFORCED}}),
    "versioning": ("VersioningConfiguration", {}),
}
"""Root element and members of the responses."""
