"""Reads from infra/bootstrap.yaml which resources a new stack has with given parameters.

CloudFormation has no operation for that. GetTemplateSummary lists the types of all resources, also of those whose
condition is false, and a change set of type CREATE leaves a stack in REVIEW_IN_PROGRESS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

Value = Any


class _Loader(yaml.SafeLoader):
    """Reads ``!Function argument`` as ``("Function", argument)``."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> tuple[str, Value]:
    if isinstance(node, yaml.MappingNode):
        return name, loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return name, loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return name, loader.construct_scalar(node)


_Loader.add_multi_constructor("!", _function)


def resource_types(template: str, parameters: Mapping[str, str]) -> Counter[str]:
    """Return the types of the resources that a new stack has, with their numbers.

    Args:
        template: the template, as YAML.
        parameters: the values of parameters that are not the template's defaults.
    """
    document = yaml.load(template, _Loader)  # noqa: S506 - a subclass of SafeLoader
    defaults = {name: parameter.get("Default", "") for name, parameter in document["Parameters"].items()}
    conditions = document["Conditions"]
    return Counter(
        resource["Type"]
        for resource in document["Resources"].values()
        if "Condition" not in resource or _is_true(conditions[resource["Condition"]], defaults | dict(parameters))
    )


def _is_true(condition: tuple[str, list[Value]], parameters: Mapping[str, Value]) -> bool:
    function, arguments = condition
    if function == "Not":
        return not _is_true(arguments[0], parameters)
    assert function == "Equals", f"{function} is not read here"
    left, right = (_value(argument, parameters) for argument in arguments)
    return left == right


def _value(argument: Value, parameters: Mapping[str, Value]) -> str:
    """Return a constant or a parameter's value as text, as which CloudFormation compares them."""
    return str(parameters[argument[1]] if isinstance(argument, tuple) else argument)
