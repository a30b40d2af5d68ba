"""Which IAM actions a file of steps/ needs: read from its source, not from a list that somebody keeps."""

from __future__ import annotations

import ast
from pathlib import Path

import botocore.session
from botocore import xform_name

_SESSION = botocore.session.get_session()

# Where an action is not called like the operation: AWS's Service Authorization Reference. Transfers are boto3's own
# methods; a large one is a multipart upload, which has to be aborted when it fails.
_S3_ACTIONS = {
    "head_object": {"s3:GetObject"},
    "list_objects_v2": {"s3:ListBucket"},
    "copy_object": {"s3:GetObject", "s3:PutObject"},
    "delete_objects": {"s3:DeleteObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "upload_part_copy": {"s3:GetObject", "s3:PutObject"},
    "complete_multipart_upload": {"s3:PutObject"},
    "download_file": {"s3:GetObject"},
    "download_fileobj": {"s3:GetObject"},
    "upload_file": {"s3:PutObject", "s3:AbortMultipartUpload"},
    "upload_fileobj": {"s3:PutObject", "s3:AbortMultipartUpload"},
    "copy": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"},
}
_PREFIXES = {"sagemaker-runtime": "sagemaker"}


def iam_actions(*paths: Path) -> set[str]:
    """The IAM actions behind every call that files make of the clients they make.

    A call is an operation of a service that one of the files has a client of, called as a method, paged or waited for.
    """
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = {_method(call) for call in calls}
    named = {_first_text(call) for call in calls if _method(call) in ("get_paginator", "get_waiter")}
    actions: set[str] = set()
    for service in {_first_text(call) for call in calls if _method(call) == "client"} - {""}:
        model = _SESSION.get_service_model(service)
        operations = {xform_name(name): name for name in model.operation_names}
        for method in (methods | named) & (set(operations) | set(_S3_ACTIONS if service == "s3" else ())):
            if service == "s3" and method in _S3_ACTIONS:
                actions |= _S3_ACTIONS[method]
            else:
                actions.add(f"{_PREFIXES.get(service, service)}:{operations[method]}")
    return actions


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _first_text(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
