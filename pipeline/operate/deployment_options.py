"""The deployment options of the function, which are the same for every execution."""

from __future__ import annotations

from typing import Any

from pipeline.config.models import Config
from pipeline.definition.resources import Resources


def deployment_options(config: Config, resources: Resources) -> dict[str, Any]:
    """Return the options that the function reads as JSON from its environment variable ``DEPLOYMENT``."""
    deploy, vpc = config.deploy, config.aws.vpc
    capture = {
        "percentage": deploy.data_capture_percentage,
        "s3_uri": f"s3://{resources.bucket}/{config.pipeline.name}/data-capture",
    }
    return {
        "pipeline_name": config.pipeline.name,
        "role_arn": resources.job_role_arn,
        "serverless": deploy.serverless and deploy.serverless.model_dump(),
        "autoscaling": deploy.autoscaling and deploy.autoscaling.model_dump(),
        "data_capture": capture if deploy.data_capture_percentage else None,
        "rollback_alarms": deploy.rollback_alarms,
        "kms_key_arn": config.aws.kms_key_arn,
        "vpc": vpc and vpc.model_dump(),
        "tags": config.pipeline.tags,
    }
