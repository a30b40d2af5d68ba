"""Lambda's operations for functions' policies and tags."""

from __future__ import annotations

import json
from dataclasses import dataclass

from local.api.lambda_.rest import Members
from local.core.errors import ServiceError
from local.records import functions as records
from local.storage.store import Store


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
        records.change(self.store, self.region, record["FunctionName"], {"_Tags": record["_Tags"] | request["Tags"]})

    def list_tags(self, request: Members) -> Members:
        """List a function's tags."""
        return {"Tags": records.find(self.store, self.region, request["Resource"])["_Tags"]}

    def untag(self, request: Members) -> None:
        """Remove tags from a function."""
        record = records.find(self.store, self.region, request["Resource"])
        tags = {key: value for key, value in record["_Tags"].items() if key not in request["TagKeys"]}
        records.change(self.store, self.region, record["FunctionName"], {"_Tags": tags})


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
