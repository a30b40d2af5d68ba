"""make upsert: show the changes, ask, and publish the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pipeline.config.models import Config
from pipeline.config.preflight import check_input
from pipeline.definition.resources import Resources, default_bucket, find_resources
from scripts.command_line import command
from scripts.console import aws_session, config_option, confirm, console, is_local_service, run, with_config, yes_option
from scripts.quotas import print_quota_warnings, print_quotas

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3.literals import BucketLocationConstraintType


@command("upsert")
@config_option
@yes_option
def main(config: Config, yes: bool) -> int:
    """Publish the pipeline, after showing the changes and asking."""
    check_input(config)
    session = aws_session(config)
    resources = find_resources(config, session)
    # Imported here, because the import of the SDK takes seconds, and missing credentials should fail at once.
    from pipeline.operate.publish import plan_publishing, publish, require_valid_requests  # noqa: PLC0415

    if is_local_service() and resources.bucket == default_bucket(config, resources.account_id):
        require_valid_requests(config, resources)
        ensure_local_bucket(session, resources)
    plan = plan_publishing(config, resources, session)
    for change in plan.changes:
        console.print(f"  {change}", markup=False)
    if is_local_service():
        print_quota_warnings(config)
    else:
        print_quotas(config)
    if not plan.changes:
        console.print(f"The pipeline {config.pipeline.name} is up to date.")
    elif not confirm(f"Publish to account {resources.account_id} in {resources.region}?", yes=yes):
        console.print("Nothing was changed.")
        return 1
    arn = publish(plan, session, lambda sentence: console.print(f"  {sentence}", markup=False))
    _say_how_to_start(config, resources, arn)
    return 0


def ensure_local_bucket(session: Session, resources: Resources) -> None:
    """Create the bucket on the local service. On AWS ``make bootstrap`` creates it, after asking."""
    s3 = session.client("s3")
    if resources.bucket not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        if resources.region == "us-east-1":
            # S3 accepts no location constraint for this region.
            s3.create_bucket(Bucket=resources.bucket)
        else:
            region = cast("BucketLocationConstraintType", resources.region)
            s3.create_bucket(Bucket=resources.bucket, CreateBucketConfiguration={"LocationConstraint": region})
        console.print(f"  created the bucket {resources.bucket} on the local service", markup=False)


def _say_how_to_start(config: Config, resources: Resources, arn: str) -> None:
    name, region = config.pipeline.name, resources.region
    console.print(f"\nPipeline  {arn}")
    if not is_local_service():
        console.print(
            f"Studio    https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/studio"
            f" (Pipelines > {name} > Execute)",
        )
    by_cli = f"aws sagemaker start-pipeline-execution --pipeline-name {name} --region {region}"
    console.print(with_config(f"Start it  make start, or: {by_cli}"), markup=False)


if __name__ == "__main__":
    run(main)
