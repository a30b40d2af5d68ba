"""make delete: list the resources that the project created on AWS, ask, and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from botocore.exceptions import ClientError

from pipeline.config.models import Config
from pipeline.definition.resources import find_resources
from pipeline.operate.kept import find_kept_resources
from pipeline.operate.ownership import Ownership
from pipeline.operate.teardown import LEVELS, delete_resources, find_deployers, find_owned_resources
from scripts.command_line import command, option
from scripts.console import aws_session, config_option, confirm, console, errors, is_local_service, run, yes_option

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@command("delete")
@config_option
@option(
    "--level",
    variable="LEVEL",
    type=click.Choice(LEVELS),
    default="pipeline",
    show_default=True,
    help="The endpoint only; or all but data, bucket and roles (pipeline); or everything.",
)
@yes_option
def main(config: Config, level: str, yes: bool) -> int:
    """Delete what the project created on AWS, after asking.

    The resources are listed first. The exit status is 1 if one could not be deleted.
    """
    session = aws_session(config)
    resources = find_resources(config, session)
    ownership = Ownership(config, resources, session)
    owned = find_owned_resources(ownership, session, level)
    kept = find_kept_resources(ownership, session, level)
    if not owned:
        where = f"account {resources.account_id}, {resources.region}"
        console.print(f"There is nothing of {config.pipeline.name} to delete in {where} (LEVEL={level}).", markup=False)
    for resource in owned:
        console.print(f"  {resource.kind} {resource.name}", markup=False, soft_wrap=True)
    for phrase in kept:
        console.print(f"kept: {phrase}", markup=False, soft_wrap=True)
    if owned:
        question = f"Delete all of this from account {resources.account_id}, {resources.region}, permanently?"
        if not confirm(question, yes=yes):
            console.print("Nothing was deleted.")
            return 1
    failures = delete_resources(owned, lambda sentence: console.print(f"  {sentence}", markup=False, soft_wrap=True))
    for failure in failures:
        errors.print(f"could not delete {failure}", style="red", markup=False, soft_wrap=True)
    if failures:
        errors.print("Fix the reason and run the command again: it deletes the rest.")
        return 1
    if level == "all" and is_local_service():
        _delete_local_bucket(session.client("s3"), resources.bucket)
    elif level != "all" and owned:
        left = "the pipeline, its models and data" if level == "endpoint" else "data, bucket and roles"
        console.print(f"Left: {left}. LEVEL=all deletes everything.", markup=False)
    if level == "endpoint" and (deployers := find_deployers(ownership, session)):
        console.print("These can deploy an endpoint again, which is then billed; LEVEL=pipeline ends them:")
        for deployer in deployers:
            console.print(f"  {deployer}", markup=False)
    return 0


def _delete_local_bucket(s3: S3Client, bucket: str) -> None:
    """Delete the bucket that ``make upsert`` creates on the local service without a stack."""
    try:
        s3.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "BucketNotEmpty"):
            raise


if __name__ == "__main__":
    run(main)
