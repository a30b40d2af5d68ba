"""Finds hyperparameters and objectives that SageMaker's built-in XGBoost refuses, so that a job would fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from definition_language.expressions import is_expression
from definition_language.xgboost import (
    ALIASES,
    RULES,
    TUNABLE,
    TUNING_OBJECTIVES,
    HyperparameterError,
    parse,
    parse_value,
)

_IMAGE = "/sagemaker-xgboost:3.2-0"


def algorithm_faults(step_type: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of a Training or Tuning step whose image is XGBoost 3.2-0, without a script of its own.

    Args:
        step_type: The step's type.
        arguments: The step's arguments, which fit their shapes.
    """
    if step_type == "Training":
        yield from _job_faults(arguments, "HyperParameters", {})
    if step_type == "Tuning":
        config = arguments.get("HyperParameterTuningJobConfig")
        config = config if isinstance(config, dict) else {}
        definitions = [arguments.get("TrainingJobDefinition"), *_list(arguments.get("TrainingJobDefinitions"))]
        for definition in definitions:
            if isinstance(definition, dict) and not is_expression(definition):
                yield from _tuning_faults(config, definition)


def _tuning_faults(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    if not _is_built_in(definition, "StaticHyperParameters"):
        return
    ranges = {}
    for given in (config.get("ParameterRanges"), definition.get("HyperParameterRanges")):
        for each in _ranges(given):
            ranges[each["Name"]] = each
    yield from _job_faults(definition, "StaticHyperParameters", ranges)
    for objective in (config.get("HyperParameterTuningJobObjective"), definition.get("TuningObjective")):
        metric = objective.get("MetricName") if isinstance(objective, dict) else None
        if isinstance(metric, str) and metric not in TUNING_OBJECTIVES:
            yield f"{metric} is not an objective metric of XGBoost"
    for name, each in ranges.items():
        if ALIASES.get(name, name) not in TUNABLE:
            yield f"the hyperparameter {name} of XGBoost cannot be tuned; tunable: {', '.join(TUNABLE)}"
            continue
        for value in [*_list(each.get("Values")), each.get("MinValue"), each.get("MaxValue")]:
            yield from _value_faults(name, value)


def _job_faults(definition: Mapping[str, Any], member: str, ranges: Mapping[str, Any]) -> Iterator[str]:
    if not _is_built_in(definition, member):
        return
    given = definition.get(member, {})
    if not ranges and all(isinstance(value, str) for value in given.values()):
        try:
            parse(given)
        except HyperparameterError as error:
            yield f"{member}: {error}"
        return
    if "num_round" not in {**given, **ranges}:
        yield f"{member}: Missing required hyperparameter: num_round"
    for name, value in given.items():
        if ALIASES.get(name, name) not in RULES:
            yield f"{member}: Extraneous hyperparameter found: {name}"
        else:
            yield from _value_faults(name, value)


def _value_faults(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        try:
            parse_value(ALIASES.get(name, name), value)
        except HyperparameterError as error:
            yield str(error)


def _is_built_in(definition: Mapping[str, Any], member: str) -> bool:
    specification, given = definition.get("AlgorithmSpecification", {}), definition.get(member, {})
    if not isinstance(specification, dict) or not isinstance(given, dict) or is_expression(given):
        return False
    image = specification.get("TrainingImage")
    return isinstance(image, str) and image.endswith(_IMAGE) and "sagemaker_program" not in given


def _ranges(given: Any) -> Iterator[dict[str, Any]]:
    if isinstance(given, dict) and not is_expression(given):
        for members in given.values():
            yield from (each for each in _list(members) if isinstance(each, dict) and isinstance(each.get("Name"), str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
