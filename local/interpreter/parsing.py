"""Parse a definition's JSON into a ``Definition``, or report all its faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from definition_language.documents import OLDEST_VERSION, STEP_NAME
from definition_language.expressions import ExpressionError, references
from local.core.errors import ServiceError, validation_error
from local.core.json_text import JsonError, read_json
from local.interpreter.checks import definition_faults
from local.interpreter.conditions import condition_faults
from local.interpreter.definition import Branch, Definition, Json, MalformedError, Parameter, PropertyFile, Step
from local.interpreter.parameters import parse_parameter
from local.interpreter.policies import parse_cache_config, parse_retry_policy
from local.interpreter.step_types import RESOURCE_STEPS, SUPPORTED_TYPES

_MEMBERS = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
_STEP_MEMBERS = {"Name", "Type", "Arguments", "DisplayName", "Description", "DependsOn"}
_MEMBERS_BY_TYPE = {
    **{name: {"CacheConfig", "RetryPolicies"} for name in RESOURCE_STEPS},
    "Processing": {"CacheConfig", "RetryPolicies", "PropertyFiles"},
    "Lambda": {"CacheConfig", "FunctionArn", "OutputParameters"},
    "Callback": {"CacheConfig", "SqsQueueUrl", "OutputParameters"},
}
_OUTPUT_TYPES = ("String", "Integer", "Float", "Boolean")

_Read = TypeVar("_Read")


def parse(text: str) -> Definition:
    """Parse a pipeline definition.

    Args:
        text: The definition, as JSON.

    Raises:
        ServiceError: ValidationException that lists all faults.
    """
    try:
        return _parse(text)
    except RecursionError:
        raise _unparsable(["It is nested too deeply"]) from None


def _parse(text: str) -> Definition:
    try:
        document = read_json(text)
    except JsonError as error:
        raise _unparsable([f"It {error}"]) from None
    if not isinstance(document, dict):
        raise _unparsable(["Expecting start of Json Object"])
    faults: list[str] = []
    definition = _Reader(faults).read(document)
    # Checked only if the JSON is well-formed: otherwise the same faults would be reported twice.
    faults = faults or list(definition_faults(definition))
    if faults:
        raise _unparsable(faults)
    return definition


def _unparsable(faults: list[str]) -> ServiceError:
    return validation_error(f"Unable to parse pipeline definition. {'; '.join(faults)}")


class _Reader:
    """Reads a definition, collects its faults, and leaves out the malformed parts."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults
        self._steps: dict[str, Step] = {}

    def read(self, document: dict[str, Json]) -> Definition:
        self._unknown_members(document, _MEMBERS, "the definition")
        version = document.get("Version")
        if not isinstance(version, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
            self._faults.append(f"Version {version!r} is not a date; write it as in '{OLDEST_VERSION}'")
        elif version < OLDEST_VERSION:
            self._faults.append(f"Version {version} is older than {OLDEST_VERSION}")
        if document.get("MlflowConfig") is not None:
            self._faults.append("MlflowConfig is not implemented by the local service")
        parameters = self._parameters(self._list(document.get("Parameters"), "Parameters"))
        experiment = self._object(document.get("PipelineExperimentConfig"), "PipelineExperimentConfig")
        steps = self._list(document.get("Steps"), "Steps")
        if not steps:
            self._faults.append("Steps: a pipeline needs at least one step")
        self._read_steps(steps, None, "Steps")
        return Definition(parameters, self._steps, experiment)

    def _parameters(self, documents: list[Json]) -> dict[str, Parameter]:
        parameters: dict[str, Parameter] = {}
        for index, document in enumerate(documents):
            parameter = self._attempt(parse_parameter, document, f"Parameters[{index}]")
            if parameter is None:
                continue
            if parameter.name in parameters:
                self._faults.append(f"Duplicate parameter name '{parameter.name}'")
            parameters[parameter.name] = parameter
        return parameters

    def _read_steps(self, documents: Iterable[Json], branch: Branch | None, where: str) -> None:
        for index, document in enumerate(documents):
            name = document.get("Name") if isinstance(document, dict) else None
            if not isinstance(name, str) or not STEP_NAME.fullmatch(name):
                self._faults.append(
                    f"{where}[{index}]: a step's Name must be 1 to 64 letters, digits, '-' or '_', not {name!r}"
                )
            elif document.get("Type") not in SUPPORTED_TYPES:
                self._faults.append(
                    f"Step '{name}': steps of type {document.get('Type')!r} are not implemented by the local "
                    f"service; supported: {', '.join(SUPPORTED_TYPES)}"
                )
            elif name in self._steps:
                self._faults.append(f"Duplicate step name '{name}'")
            else:
                self._read_step(name, document, branch)

    def _read_step(self, name: str, document: dict[str, Json], branch: Branch | None) -> None:
        kind = document["Type"]
        where = f"Step '{name}'"
        self._unknown_members(document, _STEP_MEMBERS | _MEMBERS_BY_TYPE.get(kind, set()), where)
        arguments = self._object(document.get("Arguments"), f"{where}: Arguments")
        nested = {}
        if kind == "Condition":
            nested = {member: arguments.get(member) or [] for member in ("IfSteps", "ElseSteps")}
            arguments = self._conditions(arguments, where)
        depends_on = tuple(str(item) for item in self._list(document.get("DependsOn"), f"{where}: DependsOn"))
        self._steps[name] = Step(
            name=name,
            type=kind,
            arguments=arguments,
            display_name=self._text(document.get("DisplayName"), f"{where}: DisplayName"),
            description=self._text(document.get("Description"), f"{where}: Description"),
            depends_on=depends_on,
            dependencies=frozenset((*depends_on, *self._referenced_steps(arguments, branch, where))),
            branch=branch,
            cache_window=self._attempt(parse_cache_config, document.get("CacheConfig"), where),
            retry_policies=tuple(
                policy
                for item in self._list(document.get("RetryPolicies"), f"{where}: RetryPolicies")
                if (policy := self._attempt(parse_retry_policy, item, where)) is not None
            ),
            property_files=self._property_files(document, where),
            function_arn=self._needed_text(document, "Lambda", "FunctionArn", where),
            queue_url=self._needed_text(document, "Callback", "SqsQueueUrl", where),
            outputs=self._outputs(document, where),
        )
        for member, outcome in (("IfSteps", True), ("ElseSteps", False)):
            steps = self._list(nested.get(member), f"{where}: {member}")
            self._read_steps(steps, Branch(name, outcome), f"{where}: {member}")

    def _conditions(self, arguments: dict[str, Json], where: str) -> dict[str, Json]:
        self._unknown_members(arguments, {"Conditions", "IfSteps", "ElseSteps"}, where)
        conditions = self._list(arguments.get("Conditions"), f"{where}: Conditions")
        if not conditions:
            self._faults.append(f"{where}: Conditions: the step needs at least one condition")
        for index, condition in enumerate(conditions):
            self._faults.extend(condition_faults(condition, f"{where}: Conditions[{index}]"))
        return {"Conditions": conditions}

    def _referenced_steps(self, arguments: Json, branch: Branch | None, where: str) -> Iterator[str]:
        try:
            yield from (item.name for item in references(arguments) if item.root == "Steps")
        except ExpressionError as error:
            self._faults.append(f"{where}: {error}")
        if branch is not None:
            yield branch.condition

    def _property_files(self, document: dict[str, Json], where: str) -> dict[str, PropertyFile]:
        files = {}
        for item in self._list(document.get("PropertyFiles"), f"{where}: PropertyFiles"):
            members = ("PropertyFileName", "OutputName", "FilePath")
            if not isinstance(item, dict) or not all(isinstance(item.get(member), str) for member in members):
                self._faults.append(f"{where}: PropertyFiles: an item needs the strings {', '.join(members)}")
            else:
                files[item["PropertyFileName"]] = PropertyFile(item["OutputName"], item["FilePath"])
        return files

    def _needed_text(self, document: dict[str, Json], kind: str, member: str, where: str) -> str | None:
        text = self._text(document.get(member), f"{where}: {member}")
        if document["Type"] == kind and not text:
            self._faults.append(f"{where}: {member} is missing")
        return text

    def _outputs(self, document: dict[str, Json], where: str) -> dict[str, str]:
        outputs = {}
        for item in self._list(document.get("OutputParameters"), f"{where}: OutputParameters"):
            if not isinstance(item, dict) or item.get("OutputType") not in _OUTPUT_TYPES:
                self._faults.append(
                    f"{where}: OutputParameters: an item needs OutputName and OutputType (one of "
                    f"{', '.join(_OUTPUT_TYPES)}), not {item!r}"
                )
            else:
                outputs[str(item.get("OutputName"))] = item["OutputType"]
        return outputs

    def _text(self, value: Json, where: str) -> str | None:
        if value is None or isinstance(value, str):
            return value
        self._faults.append(f"{where} must be a string, not {value!r}")
        return None

    def _object(self, value: Json, where: str) -> dict[str, Json]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self._faults.append(f"{where}: Expecting start of Json Object")
        return {}

    def _list(self, value: Json, where: str) -> list[Json]:
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self._faults.append(f"{where}: Expecting start of Json Array")
        return []

    def _unknown_members(self, document: dict[str, Json], known: set[str], where: str) -> None:
        for member in sorted(set(document) - known):
            self._faults.append(f"{where}: Unknown member '{member}'")

    def _attempt(self, read: Callable[[Json], _Read], value: Json, where: str) -> _Read | None:
        try:
            return read(value)
        except MalformedError as error:
            self._faults.append(f"{where}: {error}")
            return None
