"""Checks values of the pipeline's parameters before an execution starts.

A definition holds neither patterns nor limits of numbers, so SageMaker accepts most values. A wrong one would fail the
execution only where it is used: for the endpoint and the model package, after all training. So each value is checked as
the configuration's key is for which it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter, ValidationError

from pipeline.config.checks import check_config
from pipeline.config.fault_words import in_words
from pipeline.config.models import Config
from pipeline.config.types import MetadataText, S3Uri
from pipeline.definition.parameter_descriptions import limit_name, no_limit
from pipeline.errors import UserError

if TYPE_CHECKING:
    from types_boto3_sagemaker.type_defs import ParameterTypeDef

_WITHOUT_KEY = {"InputDataUri": TypeAdapter[str](S3Uri), "DataVersion": TypeAdapter[str](MetadataText)}
"""Types of the parameters that stand for no key: ``dataset.input`` may also be a local path."""


def check_values(config: Config, parameters: Iterable[ParameterTypeDef]) -> None:
    """Check the parameters of a ``start_pipeline_execution`` request.

    Raises:
        UserError: a value cannot be used.
    """
    with_parameters(config, parameters)


def with_parameters(config: Config, parameters: Iterable[ParameterTypeDef]) -> Config:
    """Return the configuration with an execution's parameters in the place of their defaults.

    Args:
        config: the configuration.
        parameters: ``Name`` and ``Value`` of each, as in a StartPipelineExecution request. SageMaker refuses names
            that the pipeline does not have.

    Raises:
        UserError: a value cannot be used.
    """
    keys, changed = _keys(config), config
    given = {}
    for parameter in parameters:
        name, text = parameter["Name"], parameter["Value"]
        if name in _WITHOUT_KEY:
            _value(name, _WITHOUT_KEY[name], text)
        elif name in keys:
            section, key = keys[name]
            value = _value(name, _type_of(getattr(config, section), key), text)
            changed = changed if value == no_limit(config) else _replaced(changed, section, key, value)
            given[f"{section}.{key}"] = name
    _check_endpoint_name(config, changed)
    for path, sentence in check_config(changed):
        if path in given:
            raise UserError(f"Parameter {given[path]}: {sentence}.")
    return changed


def _keys(config: Config) -> dict[str, tuple[str, str]]:
    """Return the section and the key for which each parameter stands."""
    limit = limit_name(config)
    return {
        "ProcessingInstanceType": ("folds", "instance_type"),
        "ProcessingInstanceCount": ("folds", "instance_count"),
        "TrainingInstanceType": ("tuning", "instance_type"),
        limit: ("quality", "max_mse" if limit == "MaxMse" else "limit"),
        f"{limit}AppliesTo": ("quality", "applies_to"),
        "ModelApprovalStatus": ("registry", "approval_status"),
        "EndpointName": ("deploy", "endpoint_name"),
        "EndpointInstanceType": ("deploy", "instance_type"),
        "EndpointInstanceCount": ("deploy", "instance_count"),
    }


def _type_of(section: Any, key: str) -> TypeAdapter[Any]:
    field = type(section).model_fields[key]
    wanted: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return TypeAdapter(wanted)


def _value(name: str, wanted: TypeAdapter[Any], text: str) -> Any:
    try:
        return wanted.validate_strings(text)
    except ValidationError as error:
        raise UserError(f"Parameter {name}: {in_words(error.errors()[0])}.") from None


def _replaced(config: Config, section: str, key: str, value: Any) -> Config:
    update = {key: value}
    if key in ("limit", "max_mse"):  # two names of one limit
        update = {"limit": None, "max_mse": None} | update
    return config.model_copy(update={section: getattr(config, section).model_copy(update=update)})


def _check_endpoint_name(config: Config, changed: Config) -> None:
    """Check that the roles may deploy the endpoint, and that the rule hears of it (see infra/bootstrap.yaml)."""
    prefix, name = config.deploy.endpoint_name, changed.deploy.endpoint_name
    if not name.startswith(prefix):
        raise UserError(
            f"Parameter EndpointName: {name!r} must begin with deploy.endpoint_name, {prefix}: the roles may not "
            "deploy other endpoints."
        )
