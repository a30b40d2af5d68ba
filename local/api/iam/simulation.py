"""IAM's policy simulator for the policies that a user, group or role has.

It evaluates documents of identity-based policies only, as AWS's does. In this service, permissions have no effect on
requests.

Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

import re
from typing import Any

from definition_language.models import input_shape
from local.api.iam.conditions import Context
from local.api.iam.policies import ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY, Decision, decide
from local.api.iam.principals import OWNER, Principal, find_principal
from local.api.moto.checks import check_request
from local.api.moto.query import read_fields, read_query
from local.api.moto.query_replies import query_reply
from local.api.moto.services import MotoServices, operation_name
from local.aws.wire import HttpResponse, RequestHead
from local.core.arns import owner, partition
from local.core.errors import ServiceError, not_implemented

_OPERATION = "SimulatePrincipalPolicy"
_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")
_PAGE = 100
_REFUSED = (
    *("PolicyInputList", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy"),
    *("ResourceOwner", "CallerArn", "ResourceHandlingOption"),
)


class Iam:
    """The operations of IAM.

    Args:
        moto: answers all but the simulator, and keeps the policies.
        region: the service's region.
    """

    def __init__(self, moto: MotoServices, region: str) -> None:
        self._moto, self._region = moto, region

    def answer(self, head: RequestHead, body: bytes) -> HttpResponse:
        """Answer a request.

        Raises:
            ServiceError: the request is refused, or moto does not implement the operation.
        """
        if operation_name(head, body) != _OPERATION:
            return self._moto.answer(head, body)
        check_request("iam", _OPERATION, head, body)
        request = read_query(input_shape("iam", _OPERATION), read_fields(head.query, body))
        return query_reply("iam", _OPERATION, self.simulate(request))

    def simulate(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the decision about each action on each resource."""
        for member in _REFUSED:
            if request.get(member):
                raise not_implemented("iam", f"{_OPERATION} with {member}")
        for action in request["ActionNames"]:
            if not _ACTION.fullmatch(action):
                raise ServiceError("InvalidInput", f"Invalid action: {action}")
        resources = request.get("ResourceArns") or ["*"]
        principal = self._principal(request["PolicySourceArn"])
        pairs = [(action, resource) for action in request["ActionNames"] for resource in resources]
        start = _start(request.get("Marker"), len(pairs))
        end = start + request.get("MaxItems", _PAGE)
        values = _context_values(request)
        results = [_result(principal, action, resource, values) for action, resource in pairs[start:end]]
        marker = {"Marker": str(end)} if end < len(pairs) else {}
        return {"EvaluationResults": results, "IsTruncated": bool(marker), **marker}

    def _principal(self, arn: str) -> Principal:
        if arn == owner(self._region):
            return OWNER
        with self._moto.backend("iam", partition(self._region)) as iam:
            return find_principal(iam, arn)


def _start(marker: str | None, length: int) -> int:
    if marker is None:
        return 0
    if not (marker.isascii() and marker.isdecimal() and len(marker) <= len(str(length)) and int(marker) < length):
        raise ServiceError("InvalidInput", f"Invalid Marker: {marker}")
    return int(marker)


def _context_values(request: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        entry["ContextKeyName"].lower(): tuple(entry.get("ContextKeyValues") or ())
        for entry in request.get("ContextEntries") or []
        if "ContextKeyName" in entry
    }


def _result(principal: Principal, action: str, resource: str, values: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    context = Context(values)
    decision = decide(principal.policies, action, resource, context)
    boundary = {}
    if principal.boundary is not None:
        limit = decide([principal.boundary], action, resource, context).result
        boundary = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": limit == ALLOWED}}
        decision = _within(decision, limit)
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.result,
        "MatchedStatements": [
            {"SourcePolicyId": policy.name, "SourcePolicyType": policy.kind} for policy in decision.policies
        ],
        "MissingContextValues": list(context.missing),
        **boundary,
    }


def _within(decision: Decision, limit: str) -> Decision:
    """Return a decision as a permissions boundary limits it: both must allow."""
    if EXPLICIT_DENY in (decision.result, limit):
        return decision if decision.result == EXPLICIT_DENY else Decision(EXPLICIT_DENY, ())
    return decision if limit == ALLOWED else Decision(IMPLICIT_DENY, ())
