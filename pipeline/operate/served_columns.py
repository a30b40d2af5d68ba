"""Finds the model that an endpoint serves, and the columns of a model with their encoding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from pipeline.config.columns import DatasetSection
from pipeline.errors import UserError
from pipeline.operate.aws_errors import is_gone
from pipeline.operate.bodies import read_body
from pipeline.operate.configured_columns import check_label, differences
from pipeline.operate.model_columns import ModelColumns
from pipeline.s3_uris import split_uri
from pipeline.text import number_of, some_of

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

_NOT_SERVING = ("Creating", "Failed", "Deleting", "OutOfService")


class NotServingError(UserError):
    """An endpoint does not exist or does not serve."""


class ScoringModel(Protocol):
    """A model that scores rows."""

    @property
    def model_package(self) -> str | None:
        """The ARN of the package that the model was made from; None if it was made without one."""

    @property
    def described(self) -> str:
        """Which model it is, for messages: ``the model of the endpoint prices: arn:...``."""

    def metadata(self) -> dict[str, str]:
        """Return the package's metadata; empty without a package."""


class EndpointModel:
    """The model package behind an endpoint.

    Attributes:
        endpoint_config_name: the endpoint's current configuration.
        model_name: the model of its first variant; None for an endpoint of inference components.
        model_package: the ARN of the package that its model was made from; None if it was made without one.
    """

    def __init__(self, sagemaker: SageMakerClient, endpoint_name: str) -> None:
        """Ask SageMaker which configuration, model and package the endpoint serves.

        Raises:
            NotServingError: the endpoint does not exist or does not serve.
            UserError: what it was made from was deleted, or its variants serve different packages.
        """
        self._sagemaker = sagemaker
        self._endpoint_name = endpoint_name
        self.endpoint_config_name = self.current_config_name()
        with self._needing(f"endpoint configuration {self.endpoint_config_name}"):
            config = sagemaker.describe_endpoint_config(EndpointConfigName=self.endpoint_config_name)
        models = [variant.get("ModelName") for variant in config["ProductionVariants"]]
        self.model_name = models[0]
        packages = list(dict.fromkeys(self._package_of(name) for name in models))
        if len(packages) > 1:
            raise UserError(
                f"The variants of the endpoint {endpoint_name} serve different models: "
                f"{some_of(map(str, packages))}. A row could be encoded for one of them only."
            )
        self.model_package = packages[0]

    @property
    def described(self) -> str:
        """Which model it is, for messages."""
        model = self.model_package or f"{self.model_name}, which was made without a model package"
        return f"the model of the endpoint {self._endpoint_name}: {model}"

    def current_config_name(self) -> str:
        """Return the name of the configuration that the endpoint serves now.

        Raises:
            NotServingError: the endpoint does not exist or does not serve.
        """
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=self._endpoint_name)
        except ClientError as error:
            if "could not find endpoint" not in str(error).lower():
                raise
            raise NotServingError(
                f"There is no endpoint {self._endpoint_name}: start the pipeline, or name another one: ENDPOINT=name."
            ) from None
        if endpoint["EndpointStatus"] in _NOT_SERVING:
            raise NotServingError(
                f"The endpoint {self._endpoint_name} is {endpoint['EndpointStatus']}: it does not serve."
            )
        return endpoint["EndpointConfigName"]

    def metadata(self) -> dict[str, str]:
        """Return the package's metadata; empty without a package.

        Raises:
            UserError: the package was deleted.
        """
        if self.model_package is None:
            return {}
        with self._needing(f"model package {self.model_package}"):
            package = self._sagemaker.describe_model_package(ModelPackageName=self.model_package)
        return package.get("CustomerMetadataProperties", {})

    @contextmanager
    def _needing(self, what: str) -> Iterator[None]:
        """Say in a sentence that what the endpoint was made from has been deleted."""
        try:
            yield
        except ClientError as error:
            if not is_gone(error):
                raise
            raise UserError(
                f"The endpoint {self._endpoint_name} serves, but its {what} was deleted: "
                "the columns of its model are not known any more. 'make start' registers and deploys a model again."
            ) from None

    def _package_of(self, model_name: str | None) -> str | None:
        if model_name is None:  # an endpoint of inference components has no models
            return None
        with self._needing(f"model {model_name}"):
            model = self._sagemaker.describe_model(ModelName=model_name)
        containers = [model.get("PrimaryContainer", {}), *model.get("Containers", [])]
        return next((found["ModelPackageName"] for found in containers if "ModelPackageName" in found), None)


def served_columns(
    model: ScoringModel,
    s3: S3Client,
    dataset: DatasetSection,
    *,
    accepts: Callable[[str], bool],
    note: Callable[[str], None],
) -> ModelColumns:
    """Return the columns of a model.

    They are those that the model package records. Packages of older versions of this project record none; then the
    configuration's columns are used if the model has as many features.

    Args:
        model: the model.
        s3: boto3's S3 client.
        dataset: the configuration's columns.
        accepts: whether the model accepts a row of features.
        note: takes sentences for the user.

    Raises:
        UserError: the package's record cannot be read, the model has another label or another problem than the
            configuration, or the configuration has another number of features.
    """
    recorded = recorded_columns(model, s3)
    if recorded is not None:
        check_label(dataset, recorded, model.described)
        for sentence in differences(dataset, recorded):
            note(sentence)
        return recorded
    configured = ModelColumns.of_dataset(dataset)
    source = f"the model package {model.model_package}"
    if model.model_package is None:
        source = "the endpoint's model, which was made without a model package,"
    if configured is None:
        raise UserError(
            f"{source[0].upper()}{source[1:]} does not record its columns, and the configuration does not tell the "
            "categories and the fills of missing values, which are found in the data. Run the pipeline again"
        )
    if not accepts(",".join("0" * len(configured.features))):
        raise UserError(
            f"{source[0].upper()}{source[1:]} does not record its columns, and the endpoint refuses rows of the "
            f"configuration's {number_of(len(configured.features), 'feature')}: {some_of(configured.features)}. "
            "Use the configuration with which the model was trained: CONFIG=file"
        )
    note(f"{source[0].upper()}{source[1:]} does not record its columns: the configuration's are used.")
    return configured


def recorded_columns(model: ScoringModel, s3: S3Client) -> ModelColumns | None:
    """Return the columns that a model's package records; None if it records none.

    Raises:
        UserError: the package's record cannot be read.
    """
    uri = model.metadata().get("folds_json")
    if uri is None:
        return None
    source = f"the model package {model.model_package}"
    return _recorded(_read(uri, s3, source), uri, source)


def _read(uri: str, s3: S3Client, source: str) -> bytes:
    bucket, key = split_uri(uri)
    try:
        return read_body(lambda: s3.get_object(Bucket=bucket, Key=key)["Body"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise UserError(f"{uri}, in which {source} records its columns, does not exist any more.") from None


def _recorded(document: bytes, uri: str, source: str) -> ModelColumns:
    try:
        return ModelColumns.of_report(json.loads(document), source)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{uri}: is not the record of a model's columns: {error!r}") from None
