"""Checks a role's permissions, and yours to pass it, with IAM's policy simulator.

The simulator ignores bucket and key policies, so a denial is only a hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_iam.type_defs import SimulatePrincipalPolicyRequestTypeDef

_PASSED_TO = {"pipeline": "sagemaker", "job": "sagemaker", "lambda": "lambda", "events": "events"}


def check_permissions(account: Account, kind: str, role_arn: str) -> Iterator[Finding]:
    """Simulate the first actions of a role, and passing the role to its service.

    Args:
        account: the account.
        kind: ``pipeline``, ``job``, ``lambda`` or ``events``.
        role_arn: the role.
    """
    iam, subject = account.client("iam"), f"role: {kind}, permissions"
    denied = [
        f"{action} on {resource}"
        for action, resource in _first_actions(account, kind)
        if not _is_allowed(iam, role_arn, action, resource, "sagemaker")
    ]
    if denied:
        to_do = "compare the role's policies with infra/bootstrap.yaml"
        yield Finding(subject, State.ATTENTION, f"the policy simulator denies {'; '.join(denied)}", to_do)
    else:
        yield Finding(subject, State.OK, "the policy simulator allows the first actions of this role")
    caller = _principal(account)
    if caller and not _is_allowed(iam, caller, "iam:PassRole", role_arn, _PASSED_TO[kind]):
        found = f"the policy simulator does not let you pass {role_arn.rpartition('/')[2]}"
        yield Finding(f"role: {kind}, passing", State.ATTENTION, found, "ask for iam:PassRole on the role")


def _first_actions(account: Account, kind: str) -> list[tuple[str, str]]:
    resources, config = account.resources, account.config
    partition = account.session.get_partition_for_region(resources.region)
    sagemaker = f"arn:{partition}:sagemaker:{resources.region}:{resources.account_id}"
    objects = f"arn:{partition}:s3:::{resources.bucket}/{config.pipeline.name}"
    return {
        "pipeline": [
            ("sagemaker:CreateProcessingJob", f"{sagemaker}:processing-job/pipelines-x"),
            ("sagemaker:CreateHyperParameterTuningJob", f"{sagemaker}:hyper-parameter-tuning-job/x"),
            ("sagemaker:CreateTrainingJob", f"{sagemaker}:training-job/x"),
            ("iam:PassRole", resources.job_role_arn),
            ("lambda:InvokeFunction", resources.deploy_function_arn),
        ],
        "job": [("s3:GetObject", f"{objects}/code/x"), ("s3:PutObject", f"{objects}/executions/x")],
        "lambda": [
            ("sagemaker:CreateModel", f"{sagemaker}:model/{config.deploy.endpoint_name}-v1"),
            ("sagemaker:CreateEndpoint", f"{sagemaker}:endpoint/{config.deploy.endpoint_name}"),
            ("iam:PassRole", resources.job_role_arn),
        ],
        "events": [("sagemaker:StartPipelineExecution", f"{sagemaker}:pipeline/{config.pipeline.name}")],
    }[kind]


def _is_allowed(iam: IAMClient, principal: str, action: str, resource: str, service: str) -> bool:
    request: SimulatePrincipalPolicyRequestTypeDef = {
        "PolicySourceArn": principal,
        "ActionNames": [action],
        "ResourceArns": [resource],
    }
    if action == "iam:PassRole":
        request["ContextEntries"] = [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyType": "string",
                "ContextKeyValues": [f"{service}.amazonaws.com"],
            }
        ]
    answer = iam.simulate_principal_policy(**request)
    return all(result["EvalDecision"] == "allowed" for result in answer["EvaluationResults"])


def _principal(account: Account) -> str:
    """Return the ARN of the credentials' user or role; empty for the root user, who may do everything."""
    arn = account.identity["Arn"]
    kind = arn.split(":")[5].split("/")
    if kind[0] == "assumed-role":  # the simulator needs the role's ARN; the session's ARN lacks the role's path
        return str(account.client("iam").get_role(RoleName=kind[1])["Role"]["Arn"])
    return arn if kind[0] == "user" else ""
