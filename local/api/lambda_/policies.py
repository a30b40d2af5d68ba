"""Lambda's operations on functions' policies and tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local.api.lambda_.rest import Members, operation
from local.core.errors import ServiceError
from local.records import functions as records

if TYPE_CHECKING:
    from local.context import Context


@operation("AddPermission")
def _add_permission(context: Context, request: Members) -> Members:
    record = records.find(context, request["FunctionName"])
    identifier = request["StatementId"]
    if any(statement["Sid"] == identifier for statement in record["_Policy"]):
        message = (
            f"The statement id ({identifier}) provided already exists."
            " Please provide a new statement id, or remove the existing statement."
        )
        raise ServiceError("ResourceConflictException", message, 409)
    statement = _statement(record["FunctionArn"], request)
    records.change(context, record["FunctionName"], {"_Policy": [*record["_Policy"], statement]})
    return {"Statement": json.dumps(statement)}


@operation("RemovePermission")
def _remove_permission(context: Context, request: Members) -> None:
    record = records.find(context, request["FunctionName"])
    rest = [statement for statement in record["_Policy"] if statement["Sid"] != request["StatementId"]]
    if len(rest) == len(record["_Policy"]):
        raise _no_such_resource(f"Statement {request['StatementId']} is not found in resource policy.")
    records.change(context, record["FunctionName"], {"_Policy": rest})


@operation("GetPolicy")
def _get_policy(context: Context, request: Members) -> Members:
    record = records.find(context, request["FunctionName"])
    if not record["_Policy"]:
        raise _no_such_resource("The resource you requested does not exist.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": record["_Policy"]}
    return {"Policy": json.dumps(policy), "RevisionId": record["RevisionId"]}


@operation("TagResource")
def _tag(context: Context, request: Members) -> None:
    record = records.find(context, request["Resource"])
    records.change(context, record["FunctionName"], {"_Tags": record["_Tags"] | request["Tags"]})


@operation("ListTags")
def _list_tags(context: Context, request: Members) -> Members:
    return {"Tags": records.find(context, request["Resource"])["_Tags"]}


@operation("UntagResource")
def _untag(context: Context, request: Members) -> None:
    record = records.find(context, request["Resource"])
    tags = {key: value for key, value in record["_Tags"].items() if key not in request["TagKeys"]}
    records.change(context, record["FunctionName"], {"_Tags": tags})


def _statement(arn: str, request: Members) -> Members:
    principal = request["Principal"]
    kind = "Service" if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"
    statement: Members = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {kind: principal},
        "Action": request["Action"],
        "Resource": arn,
    }
    condition: Members = {}
    if "SourceArn" in request:
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if "SourceAccount" in request:
        condition["StringEquals"] = {"AWS:SourceAccount": request["SourceAccount"]}
    return statement | ({"Condition": condition} if condition else {})


def _no_such_resource(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404)
