"""Where the input is: in S3 already, or a file here that publishing uploads."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.models import Config
from pipeline.definition.assets import Upload, file_upload
from pipeline.definition.resources import Resources
from pipeline.errors import ConfigError

_MAX_ARGUMENT = 256
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html"""


def dataset_upload(config: Config, resources: Resources) -> Upload | None:
    """The upload that the input needs, or None when it is in S3.

    Raises:
        ConfigError: the file is not there.
    """
    path = config.dataset.input
    if path.startswith("s3://"):
        return None
    if not Path(path).is_file():
        raise ConfigError([f"dataset.input: {path!r} is not a file here, nor an s3:// URI"])
    return file_upload(Path(path), resources.bucket, f"{config.pipeline.name}/data")


def dataset_uri(config: Config, resources: Resources) -> str:
    """The input's S3 URI.

    Raises:
        ConfigError: the file is not there, or the URI is longer than an argument of a job's container may be.
    """
    upload = dataset_upload(config, resources)
    uri = config.dataset.input if upload is None else upload.uri
    if len(uri) > _MAX_ARGUMENT:
        raise ConfigError([f"dataset.input: {uri} has {len(uri)} characters; SageMaker takes {_MAX_ARGUMENT}"])
    return uri
