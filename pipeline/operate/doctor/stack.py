"""Checks the stack of 'make bootstrap': its status, whether it is up to date, and its drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.definition.resources import stack_name
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State
from pipeline.operate.stack import TEMPLATE, stack_parameters

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import (
        GetTemplateOutputTypeDef,
        StackDriftInformationTypeDef,
        StackTypeDef,
    )

_SOUND = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def check_stack(account: Account) -> Iterator[Finding]:
    """Read the stack's status, template, parameters and last known drift."""
    cloudformation, name = account.client("cloudformation"), stack_name(account.config)
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if (
            error.response["Error"]["Code"] != "ValidationError"
        ):  # CloudFormation's code for a stack that does not exist
            raise
        yield _absent(account, name)
        return
    yield _status(name, stack["StackStatus"])
    yield _content(account, stack, cloudformation.get_template(StackName=name, TemplateStage="Original"))
    if account.is_local:
        yield Finding("stack: drift", State.UNKNOWN, "the local service does not detect drift")
    else:
        yield _drift(name, stack.get("DriftInformation"), account.config.aws.region)


def _absent(account: Account, name: str) -> Finding:
    aws = account.config.aws
    if all((aws.bucket, aws.pipeline_role_arn, aws.job_role_arn, aws.lambda_role_arn)):
        return Finding("stack", State.OK, "no stack is needed: config.yaml names bucket and roles")
    return Finding("stack", account.missing, f"there is no stack {name}", "make bootstrap")


def _status(name: str, status: str) -> Finding:
    if status in _SOUND:
        return Finding("stack", State.OK, f"{name} is {status}")
    if status.endswith("_IN_PROGRESS"):
        return Finding("stack", State.ATTENTION, f"{name} is {status}", "wait until the change has ended")
    to_do = (
        f"find the reason with: aws cloudformation describe-stack-events --stack-name {name}; then run make bootstrap"
    )
    state = State.ATTENTION if status == "UPDATE_ROLLBACK_COMPLETE" else State.FAILED
    return Finding("stack", state, f"{name} is {status}", to_do)


def _content(account: Account, stack: StackTypeDef, answer: GetTemplateOutputTypeDef) -> Finding:
    """Compare the template and the parameters with those that 'make bootstrap' would use."""
    subject = "stack: up to date"
    has = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
    wanted = stack_parameters(account.config, account.identity["Account"])
    different = [f"parameter {name}" for name, value in wanted.items() if has.get(name, "") != value]
    # boto3 gives a template in YAML as text, and only one in JSON as its stubs say.
    if str(answer["TemplateBody"]) != TEMPLATE.read_text("utf-8"):
        different.insert(0, "the template")
    if different:
        to_do = "make bootstrap shows what would change, and asks"
        return Finding(subject, State.ATTENTION, f"differs in {', '.join(different)}", to_do)
    return Finding(subject, State.OK, "matches infra/bootstrap.yaml and config.yaml")


def _drift(name: str, drift: StackDriftInformationTypeDef | None, region: str) -> Finding:
    subject = "stack: drift"
    status = drift["StackDriftStatus"] if drift else "NOT_CHECKED"
    when = drift.get("LastCheckTimestamp") if drift else None
    at = f" on {when:%Y-%m-%d %H:%M}" if when else ""
    if status == "IN_SYNC":
        return Finding(subject, State.OK, f"none{at}")
    if status == "DRIFTED":
        to_do = f"aws cloudformation describe-stack-resource-drifts --stack-name {name} --region {region} lists them"
        return Finding(subject, State.ATTENTION, f"somebody changed resources by hand (detected{at})", to_do)
    # Drift detection starts an operation, and these checks are read-only.
    to_do = f"aws cloudformation detect-stack-drift --stack-name {name} --region {region}, then make doctor again"
    return Finding(subject, State.UNKNOWN, "drift was never checked", to_do)
