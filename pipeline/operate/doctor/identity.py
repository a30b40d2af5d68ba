"""Checks the credentials, the region and the partition."""

from __future__ import annotations

import os
from collections.abc import Iterator

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.operate.aws_errors import reason
from pipeline.operate.doctor.account import Account
from pipeline.operate.doctor.findings import Finding, State
from pipeline.sign_in import SIGN_IN, sign_in_remedy


def check_credentials(account: Account) -> Iterator[Finding]:
    """Check the credentials by asking STS for the caller's identity."""
    try:
        identity = account.identity
    except (ClientError, BotoCoreError) as error:
        yield Finding("credentials", State.FAILED, reason(error), _credentials_to_do(error))
        return
    place = f" at {account.client('sts').meta.endpoint_url}" if account.is_local else ""
    root = identity["Arn"].endswith(":root")
    yield Finding(
        "credentials",
        State.ATTENTION if root else State.OK,
        f"{identity['Arn']}, account {identity['Account']}{place}",
        "use a role or a user: these are the root user's credentials" if root else "",
    )


def _credentials_to_do(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, BotoCoreError):
        local = 'for the local service: make local, then eval "$(make -s local-env)"'
        return f"{sign_in_remedy(error) or SIGN_IN}; {local}"
    return "sign in again. AWS also refuses valid credentials in a region that your account has not enabled"


def check_region(account: Account) -> Iterator[Finding]:
    """Compare the configuration's region with botocore's list and with the region of the environment or the profile."""
    region, session = account.config.aws.region, account.session
    partitions = session.get_available_partitions()
    known = {name for partition in partitions for name in session.get_available_regions("sagemaker", partition)}
    elsewhere = _usual_regions() - {region}
    if region not in known:
        to_do = "check the spelling of aws.region; if the region is new, update boto3"
        yield Finding("region", State.ATTENTION, f"botocore does not know SageMaker in {region}", to_do)
    elif elsewhere:
        to_do = (
            f"set aws.region, which alone counts for make. If {region} is right, export AWS_REGION={region} "
            f"AWS_DEFAULT_REGION={region} for the AWS CLI"
        )
        found = f"{region} by the configuration, while your environment or profile says {', '.join(sorted(elsewhere))}"
        yield Finding("region", State.ATTENTION, found, to_do)
    else:
        yield Finding("region", State.OK, region)


def _usual_regions() -> set[str]:
    """Return the regions of the environment, or else of the profile, which the AWS CLI uses if nothing else is said."""
    named = {os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION")} - {None, ""}
    return {region for region in named or {botocore.session.Session().get_scoped_config().get("region")} if region}


def check_partition(account: Account) -> Iterator[Finding]:
    """Compare the region's partition with that of the credentials and of the configuration's ARNs."""
    aws = account.config.aws
    partition = account.session.get_partition_for_region(aws.region)
    named = {
        "the credentials": account.identity["Arn"],
        "aws.pipeline_role_arn": aws.pipeline_role_arn,
        "aws.job_role_arn": aws.job_role_arn,
        "aws.lambda_role_arn": aws.lambda_role_arn,
        "aws.events_role_arn": aws.events_role_arn,
        "aws.kms_key_arn": aws.kms_key_arn,
    }
    other = [f"{name}: {arn}" for name, arn in named.items() if arn and arn.split(":")[1] != partition]
    if other:
        to_do = "use a region, credentials and ARNs of one partition"
        yield Finding("partition", State.FAILED, f"{aws.region} is in {partition}, not {'; '.join(other)}", to_do)
    else:
        yield Finding("partition", State.OK, partition)


def check_sagemaker(account: Account) -> Iterator[Finding]:
    """Check that SageMaker answers this identity in this region, by listing pipelines."""
    sagemaker = account.client("sagemaker")
    sagemaker.list_pipelines(MaxResults=1)
    yield Finding("SageMaker", State.OK, f"answers at {sagemaker.meta.endpoint_url}")
