"""Lambda's operations for functions' policies and tags."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from local.api.lambda_.limits import check_tags, invalid
from local.api.lambda_.rest import Members
from local.core.errors import ServiceError
from local.records import functions as records
from local.storage.store import Store

_SERVICES = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")
_ACCOUNT = re.compile(r"\d{12}")
_IDENTITY = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:.+")


@dataclass(frozen=True)
class FunctionPolicies:
    """Operations of functions' policies and tags."""

    store: Store
    region: str

    def add_permission(self, request: Members) -> Members:
        """Add a statement to a function's policy."""
        record = records.find(self.store, self.region, request["FunctionName"])
        records.check_revision(record, request.get("RevisionId"))
        identifier = request["StatementId"]
        if any(statement["Sid"] == identifier for statement in record["_Policy"]):
            message = (
                f"The statement id ({identifier}) provided already exists."
                " Please provide a new statement id, or remove the existing statement."
            )
            raise ServiceError("ResourceConflictException", message, 409)
        statement = _statement(record["FunctionArn"], request)
        records.change(self.store, self.region, record["FunctionName"], {"_Policy": [*record["_Policy"], statement]})
        return {"Statement": json.dumps(statement)}

    def remove_permission(self, request: Members) -> None:
        """Remove a statement from a function's policy."""
        record = records.find(self.store, self.region, request["FunctionName"])
        records.check_revision(record, request.get("RevisionId"))
        rest = [statement for statement in record["_Policy"] if statement["Sid"] != request["StatementId"]]
        if len(rest) == len(record["_Policy"]):
            raise _no_such_resource(f"Statement {request['StatementId']} is not found in resource policy.")
        records.change(self.store, self.region, record["FunctionName"], {"_Policy": rest})

    def get_policy(self, request: Members) -> Members:
        """Return a function's policy."""
        record = records.find(self.store, self.region, request["FunctionName"])
        if not record["_Policy"]:
            raise _no_such_resource("The resource you requested does not exist.")
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": record["_Policy"]}
        return {"Policy": json.dumps(policy), "RevisionId": record["RevisionId"]}

    def tag(self, request: Members) -> None:
        """Add tags to a function."""
        record = records.find(self.store, self.region, request["Resource"])
        tags = record["_Tags"] | request["Tags"]
        check_tags(tags)
        records.change(self.store, self.region, record["FunctionName"], {"_Tags": tags})

    def list_tags(self, request: Members) -> Members:
        """List a function's tags."""
        return {"Tags": records.find(self.store, self.region, request["Resource"])["_Tags"]}

    def untag(self, request: Members) -> None:
        """Remove tags from a function."""
        record = records.find(self.store, self.region, request["Resource"])
        tags = {key: value for key, value in record["_Tags"].items() if key not in request["TagKeys"]}
        records.change(self.store, self.region, record["FunctionName"], {"_Tags": tags})


def _statement(arn: str, request: Members) -> Members:
    statement: Members = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(arn, request["Principal"]),
        "Action": request["Action"],
        "Resource": arn,
    }
    condition: Members = {}
    if "SourceArn" in request:
        condition["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if "SourceAccount" in request:
        condition["StringEquals"] = {"AWS:SourceAccount": request["SourceAccount"]}
    return statement | ({"Condition": condition} if condition else {})


def _principal(arn: str, principal: str) -> str | dict[str, str]:
    if principal == "*":
        return principal
    if principal.endswith(_SERVICES):
        return {"Service": principal}
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"{arn.partition(':lambda:')[0]}:iam::{principal}:root"}
    if _IDENTITY.fullmatch(principal):
        return {"AWS": principal}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _no_such_resource(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404)
