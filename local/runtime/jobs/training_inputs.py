"""The input side of a training job's folder: configuration files and channels.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/train-heterogeneous-cluster-configure.html.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.runtime.containers.container import Container
from local.runtime.jobs import inputs
from local.runtime.jobs.log import JobLog
from local.storage.objects import Objects

if TYPE_CHECKING:
    from local.storage.store import Document

_FOLDERS = ("input/config", "input/data", "model", "output/data")
_HOST = "algo-1"
_GROUP = "homogeneousCluster"
# SageMaker says eth0, the interface of the host's address. The address is 127.0.0.1 here.
_INTERFACE = "lo" if sys.platform == "linux" else "lo0"


def create(record: Document, container: Container) -> None:
    """Create the folders and configuration files that the container has.

    Args:
        record: The job's record.
        container: The job's folder. An older one is replaced.
    """
    shutil.rmtree(container.root, ignore_errors=True)
    for folder in _FOLDERS:
        (container.root / folder).mkdir(parents=True)
    channels = record.get("InputDataConfig", [])
    files: dict[str, Any] = {
        "hyperparameters.json": container.map_paths(record.get("HyperParameters", {})),
        "resourceconfig.json": _resources(record),
        "inputdataconfig.json": {each["ChannelName"]: _channel(record, each) for each in channels},
    }
    if "CheckpointConfig" in record:
        files["checkpointconfig.json"] = container.map_paths(record["CheckpointConfig"])
    for name, content in files.items():
        (container.root / "input" / "config" / name).write_text(json.dumps(content))


def download(record: Document, root: Path, objects: Objects, *, link: bool) -> None:
    """Fill the folder with the channels' data.

    Args:
        record: The job's record.
        root: The job's folder.
        objects: The buckets.
        link: Whether to link objects instead of copying them: only for programs that never write to their input.

    Raises:
        InputError: A channel's data does not exist, or cannot be files.
    """
    for channel in record.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        files = inputs.find(objects, source["S3DataType"], source["S3Uri"])
        inputs.download(objects, files, root / "input" / "data" / channel["ChannelName"], link=link)


def note_instances(record: Document, log: JobLog) -> None:
    """Say in the log what differs if the job asks for more than one instance."""
    count = record.get("ResourceConfig", {}).get("InstanceCount", 1)
    if count > 1:
        log.note(f"running on one machine instead of {count} instances")
        channels = [_channel(record, each) for each in record.get("InputDataConfig", [])]
        if any(channel["S3DistributionType"] == "ShardedByS3Key" for channel in channels):
            log.note("the machine reads all data instead of one shard (ShardedByS3Key)")


def _resources(record: Document) -> dict[str, Any]:
    resources = record.get("ResourceConfig", {})
    first = (resources.get("InstanceGroups") or [{}])[0]
    kind = first.get("InstanceType") or resources.get("InstanceType", "")
    group = first.get("InstanceGroupName", _GROUP)
    return {
        "current_host": _HOST,
        "current_instance_type": kind,
        "current_group_name": group,
        "hosts": [_HOST],
        "instance_groups": [{"instance_group_name": group, "instance_type": kind, "hosts": [_HOST]}],
        "network_interface_name": _INTERFACE,
    }


def _channel(record: Document, channel: dict[str, Any]) -> dict[str, str]:
    mode = record["AlgorithmSpecification"]["TrainingInputMode"]
    source = channel["DataSource"]["S3DataSource"]
    content_type = {"ContentType": channel["ContentType"]} if "ContentType" in channel else {}
    return content_type | {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        "CompressionType": channel.get("CompressionType", "None"),
    }
