"""IAM's policy simulator decides as the policies say, and managed policies can be attached."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.api.iam.conditions import Context, is_met
from local.api.iam.policies import Policy, decide
from local.core.errors import ServiceError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
OBJECT = "arn:aws:s3:::bucket/data/x.csv"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def decided(statement: dict[str, Any], action: str = "s3:GetObject", resource: str = OBJECT, **values: str) -> str:
    context = Context({name.replace("_", ":").lower(): (value,) for name, value in values.items()})
    return decide([Policy("p", "role", document(statement))], action, resource, context).result


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        (allow("s3:GetObject"), "allowed"),
        (allow(["s3:Put*", "S3:get*"]), "allowed"),
        (allow("s3:Get?bject"), "allowed"),
        (allow("s3:Get"), "implicitDeny"),
        (allow("*", "arn:aws:s3:::bucket/*"), "allowed"),
        (allow("*", "arn:aws:s3:::Bucket/*"), "implicitDeny"),
        (allow("*", ["arn:aws:s3:::other", "arn:aws:s3:::bucket"]), "implicitDeny"),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "allowed"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "implicitDeny"),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"}, "implicitDeny"),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, "explicitDeny"),
        (allow("*", "arn:aws:s3:::${aws:username}/*"), "implicitDeny"),
        (allow("*", "arn:aws:s3:::${aws:username, 'bucket'}/*"), "allowed"),
        (allow("*", "arn:aws:s3:::bucket/data/x${?}csv"), "implicitDeny"),
    ],
)
def test_a_statement_decides_about_the_actions_and_resources_that_it_names(statement, decision) -> None:
    assert decided(statement) == decision


def test_a_denial_outweighs_what_other_policies_allow() -> None:
    policies = [
        Policy("wide", "role", document(allow("*"))),
        Policy("guard", "user-managed", document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})),
    ]
    decision = decide(policies, "s3:GetObject", OBJECT, Context({}))
    assert (decision.result, [policy.name for policy in decision.policies]) == ("explicitDeny", ["guard"])


@pytest.mark.parametrize(
    ("condition", "values", "met"),
    [
        ({"StringEquals": {"a:b": ["x", "y"]}}, ("y",), True),
        ({"StringEquals": {"A:B": "x"}}, ("X",), False),
        ({"StringEqualsIgnoreCase": {"a:b": "x"}}, ("X",), True),
        ({"StringLike": {"a:b": "x*"}}, ("xyz",), True),
        ({"StringNotEquals": {"a:b": ["x", "y"]}}, ("y",), False),
        ({"StringNotEquals": {"a:b": "x"}}, None, True),
        ({"StringEquals": {"a:b": "x"}}, None, False),
        ({"StringEqualsIfExists": {"a:b": "x"}}, None, True),
        ({"StringEqualsIfExists": {"a:b": "x"}}, ("y",), False),
        ({"Null": {"a:b": "true"}}, None, True),
        ({"Null": {"a:b": True}}, ("x",), False),
        ({"Bool": {"a:b": "true"}}, ("True",), True),
        ({"ArnLike": {"a:b": "arn:aws:s3:::x*"}}, ("arn:aws:s3:::xy:z",), True),
        ({"ArnLike": {"a:b": "arn:*:role/x"}}, ("arn:aws:iam::1:role/x",), False),
        ({"NumericLessThanEquals": {"a:b": "10"}}, ("9.5",), True),
        ({"NumericLessThan": {"a:b": "10"}}, ("many",), False),
        ({"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}, ("x", "z"), False),
        ({"ForAllValues:StringEquals": {"a:b": ["x", "y"]}}, None, True),
        ({"ForAnyValue:StringEquals": {"a:b": ["x", "y"]}}, ("x", "z"), True),
        ({"ForAnyValue:StringEquals": {"a:b": "x"}}, None, False),
        ({"StringEquals": {"a:b": "x"}, "StringLike": {"c:d": "*"}}, ("x",), False),
    ],
)
def test_conditions_hold_as_iam_documents(condition, values, met) -> None:
    assert is_met(condition, Context({} if values is None else {"a:b": values})) is met


def test_a_condition_that_is_not_evaluated_here_is_refused_by_name() -> None:
    with pytest.raises(ServiceError, match="SimulatePrincipalPolicy with the condition operator DateLessThan"):
        decided(allow("*", Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}))


@pytest.fixture
def role(service, request):
    name = f"role-{abs(hash(request.node.name))}"
    iam = service.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    return iam, name, arn


def results(iam, arn: str, *actions: str, **members: Any) -> list[tuple[str, str]]:
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), **members)
    return [(each["EvalActionName"], each["EvalDecision"]) for each in answer["EvaluationResults"]]


def test_aws_managed_policies_and_inline_ones_decide(role) -> None:
    iam, name, arn = role
    assert results(iam, arn, "sagemaker:CreateTrainingJob") == [("sagemaker:CreateTrainingJob", "implicitDeny")]
    iam.attach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    inline = document(allow("s3:GetObject", OBJECT), {"Effect": "Deny", "Action": "sagemaker:Delete*", "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(inline))
    assert results(iam, arn, "sagemaker:CreateTrainingJob", "sagemaker:DeleteEndpoint") == [
        ("sagemaker:CreateTrainingJob", "allowed"),
        ("sagemaker:DeleteEndpoint", "explicitDeny"),
    ]
    assert results(iam, arn, "s3:GetObject", ResourceArns=[OBJECT, "arn:aws:s3:::bucket/other"]) == [
        ("s3:GetObject", "allowed"),
        ("s3:GetObject", "implicitDeny"),
    ]


def test_context_entries_meet_conditions_and_missing_ones_are_named(role) -> None:
    iam, name, arn = role
    iam.attach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    passing = {"PolicySourceArn": arn, "ActionNames": ["iam:PassRole"], "ResourceArns": [arn]}
    (alone,) = iam.simulate_principal_policy(**passing)["EvaluationResults"]
    assert (alone["EvalDecision"], alone["MissingContextValues"]) == ("implicitDeny", ["iam:PassedToService"])
    entry = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyType": "string",
        "ContextKeyValues": ["sagemaker.amazonaws.com"],
    }
    (passed,) = iam.simulate_principal_policy(**passing, ContextEntries=[entry])["EvaluationResults"]
    assert (passed["EvalDecision"], passed["MissingContextValues"]) == ("allowed", [])
    assert passed["MatchedStatements"] == [
        {"SourcePolicyId": "AmazonSageMakerFullAccess", "SourcePolicyType": "aws-managed"}
    ]


def test_a_permissions_boundary_limits_what_policies_allow(role) -> None:
    iam, name, arn = role
    iam.put_role_policy(RoleName=name, PolicyName="wide", PolicyDocument=json.dumps(document(allow("*"))))
    limit = iam.create_policy(PolicyName=f"limit-{name}", PolicyDocument=json.dumps(document(allow("s3:*"))))
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=limit["Policy"]["Arn"])
    assert results(iam, arn, "s3:GetObject", "iam:GetRole") == [
        ("s3:GetObject", "allowed"),
        ("iam:GetRole", "implicitDeny"),
    ]


def test_a_user_has_the_policies_of_its_groups(service) -> None:
    iam = service.client("iam")
    arn = iam.create_user(UserName="analyst")["User"]["Arn"]
    iam.create_group(GroupName="analysts")
    iam.add_user_to_group(GroupName="analysts", UserName="analyst")
    iam.put_group_policy(GroupName="analysts", PolicyName="read", PolicyDocument=json.dumps(document(allow("s3:Get*"))))
    assert results(iam, arn, "s3:GetObject", "s3:PutObject") == [
        ("s3:GetObject", "allowed"),
        ("s3:PutObject", "implicitDeny"),
    ]


def test_results_come_in_pages(role) -> None:
    iam, _, arn = role
    actions = [f"s3:Action{number}" for number in range(250)]
    pages = iam.get_paginator("simulate_principal_policy").paginate(PolicySourceArn=arn, ActionNames=actions)
    found = [len(page["EvaluationResults"]) for page in pages]
    assert found == [100, 100, 50]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"PolicySourceArn": "arn:aws:iam::123456789012:role/nobody"}, "NoSuchEntity", "role with name nobody"),
        ({"PolicySourceArn": "arn:aws:iam::123456789012:root"}, "InvalidInput", "not the ARN of a user"),
        ({"ActionNames": ["s3:*"]}, "InvalidInput", r"Invalid action: s3:\*"),
        ({"PolicyInputList": ["{}"]}, "NotImplementedException", "SimulatePrincipalPolicy with PolicyInputList"),
    ],
)
def test_what_cannot_be_simulated_is_refused(role, changes, code, message) -> None:
    iam, _, arn = role
    request = {"PolicySourceArn": arn, "ActionNames": ["s3:GetObject"], **changes}
    with pytest.raises(ClientError, match=message) as refusal:
        iam.simulate_principal_policy(**request)
    assert refusal.value.response["Error"]["Code"] == code


@pytest.mark.slow
def test_the_sdks_check_of_a_role_passes_or_names_what_is_missing(service, role, monkeypatch) -> None:
    import boto3
    from sagemaker.core.helper.iam_role_resolver import RoleValidationError, resolve_and_validate_role
    from sagemaker.core.helper.session_helper import Session

    iam, name, arn = role
    for variable, value in service.settings.client_environment().items():
        monkeypatch.setenv(variable, value)
    session = Session(boto_session=boto3.Session(), default_bucket="bucket")
    with pytest.raises(RoleValidationError, match="ecr:GetAuthorizationToken"):
        resolve_and_validate_role(arn, "training", session)
    iam.attach_role_policy(RoleName=name, PolicyArn=FULL_ACCESS)
    assert resolve_and_validate_role(name, "training", session) == arn
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST.replace("sagemaker", "lambda"))
    with pytest.raises(RoleValidationError, match="trust policy does not allow"):
        resolve_and_validate_role(arn, "training", session)
