"""Tells moto the regions of EC2 without EC2's model."""

from __future__ import annotations

from functools import cache

import boto3
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver


@cache
def know_regions_of_ec2() -> None:
    """Let boto3 list the regions of EC2 from botocore's endpoints alone, for as long as the process lives.

    Moto asks for them three times when it imports its EC2, which its Application Auto Scaling imports. Each time
    boto3 would parse the model of EC2, 10 MB of JSON, for the name that EC2's endpoints begin with: ec2.
    """
    endpoints = EndpointResolver(create_loader().load_data("endpoints"))
    ask = boto3.Session.get_available_regions

    def regions(
        session: boto3.Session, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]:
        if service_name == "ec2":
            found: list[str] = endpoints.get_available_endpoints(service_name, partition_name, allow_non_regional)
            return found
        return ask(session, service_name, partition_name, allow_non_regional)

    boto3.Session.get_available_regions = regions  # type: ignore[assignment, method-assign]
