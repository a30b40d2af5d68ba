"""The input: an S3 URI, or a local file that publishing uploads."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.models import Config
from pipeline.definition.assets import Upload, file_upload
from pipeline.definition.resources import Resources
from pipeline.errors import ConfigError

_MAX_ARGUMENT = 256
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html"""


def dataset_upload(config: Config, resources: Resources) -> Upload | None:
    """Return the upload of a local input, or None for an input in S3.

    Raises:
        ConfigError: the file does not exist.
    """
    path = config.dataset.input
    if path.startswith("s3://"):
        return None
    if not Path(path).is_file():
        raise ConfigError([f"dataset.input: there is no file {path!r}: give the path of a local file or an s3:// URI"])
    return file_upload(Path(path), resources.bucket, f"{config.pipeline.name}/data")


def dataset_uri(config: Config, resources: Resources) -> str:
    """Return the input's S3 URI.

    Raises:
        ConfigError: the file does not exist, or the URI is too long for a container argument.
    """
    upload = dataset_upload(config, resources)
    uri = config.dataset.input if upload is None else upload.uri
    if len(uri) > _MAX_ARGUMENT:
        raise ConfigError([f"dataset.input: {uri} has {len(uri)} characters; SageMaker takes {_MAX_ARGUMENT} at most"])
    return uri
