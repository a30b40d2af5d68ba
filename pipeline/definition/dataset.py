"""The input: an S3 URI, or a local file that publishing uploads."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from definition_language.linear_learner import RULES, text_of
from pipeline.config.models import Config
from pipeline.definition.assets import Upload, file_upload
from pipeline.definition.resources import Resources
from pipeline.errors import ConfigError

_MAX_ARGUMENT = 256
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html"""
_COMPRESSED = (".gz", ".bz2")


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
        ConfigError: the file does not exist or has fewer rows than training needs, or the URI is too long for a
            container argument.
    """
    upload = dataset_upload(config, resources)
    uri = config.dataset.input if upload is None else upload.uri
    if len(uri) > _MAX_ARGUMENT:
        raise ConfigError([f"dataset.input: {uri} has {len(uri)} characters; SageMaker takes {_MAX_ARGUMENT} at most"])
    if upload is not None:
        _check_rows(Path(config.dataset.input), config)
    return uri


def _check_rows(path: Path, config: Config) -> None:
    """Refuse a file with so few rows that a fold's training set does not fill one mini-batch.

    Reads only as many lines as the check needs. A row has at least one line, so there are at most as many rows as
    lines. A batch size that is not given follows the number of rows.
    """
    given = config.tuning.static_hyperparameters.get("mini_batch_size")
    if given is None or path.suffix in _COMPRESSED:
        return
    folds, batch = config.folds.count, RULES["mini_batch_size"].parse(text_of(given))
    # The fewest rows n with n - ceil(n / folds) >= batch.
    enough = batch + -(-batch // (folds - 1))
    header = int(config.dataset.header)
    # Latin-1 reads any bytes, and newlines are the same bytes in every encoding that dataset.encoding takes.
    with path.open(encoding="latin-1") as lines:
        rows = max(sum(1 for _ in islice(lines, enough + header)) - header, 0)
    most = rows - -(-rows // folds)
    if most < batch:
        raise ConfigError(
            [
                f"tuning.static_hyperparameters.mini_batch_size: {batch} is more than the {most} rows that a "
                f"fold of {path} can train on: linear-learner trains on whole mini-batches only"
            ]
        )
