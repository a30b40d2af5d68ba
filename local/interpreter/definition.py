"""A pipeline definition as the interpreter sees it.

The language is the "pipeline definition JSON schema" of Amazon SageMaker Pipelines, Version 2020-12-01, as
the SageMaker Python SDK writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

Json = Any
"""A value that JSON can hold."""

Scalar = str | int | float | bool


class MalformedError(ValueError):
    """A part of a definition that does not read as what it should be."""


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter.

    Attributes:
        name: its name.
        type: ``String``, ``Integer``, ``Float`` or ``Boolean``.
        default: its value where an execution gives none; None where every execution has to give one.
        allowed: the values it may have; empty where any value of its type will do.
    """

    name: str
    type: str
    default: Scalar | None
    allowed: tuple[Scalar, ...]


@dataclass(frozen=True)
class RetryPolicy:
    """When and how often a step that met an error is tried again.

    Attributes:
        exceptions: kinds of error that the policy is for, for example ``Step.THROTTLING``.
        interval: seconds before the first retry.
        backoff_rate: the factor by which the interval grows with every retry.
        max_attempts: the most retries; None where only time limits them.
        expire_after: the time from the step's start after which nothing is retried; None for no limit.
    """

    exceptions: tuple[str, ...]
    interval: float
    backoff_rate: float
    max_attempts: int | None
    expire_after: timedelta | None


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file that a processing step writes and ``Std:JsonGet`` reads.

    Attributes:
        output_name: the processing output that it is part of.
        path: its path below that output.
    """

    output_name: str
    path: str


@dataclass(frozen=True)
class Branch:
    """The place of a step in a condition step's IfSteps or ElseSteps.

    Attributes:
        condition: the condition step's name.
        outcome: the condition's outcome with which the step runs.
    """

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """A step, wherever in the definition it stands: steps of branches are not nested here.

    Attributes:
        name: unique in the definition.
        type: ``Processing``, ``Training``, ``Tuning``, ``Transform``, ``Model``, ``RegisterModel``,
            ``Lambda``, ``Condition`` or ``Fail``.
        arguments: the request, payload, conditions or message, with its expressions not yet evaluated.
        depends_on: names in ``DependsOn``.
        dependencies: names of all steps that have to succeed first: those of ``depends_on``, those that its
            expressions refer to, and the condition step in whose branch it stands.
        branch: where it stands in a condition step; None at the top level.
        cache_window: how old a run may be to be used again; None where caching is off.
        retry_policies: in the order of the definition.
        property_files: by name.
        function_arn: of a Lambda step.
        outputs: of a Lambda step: types by output name.
    """

    name: str
    type: str
    arguments: Json
    display_name: str | None = None
    description: str | None = None
    depends_on: tuple[str, ...] = ()
    dependencies: frozenset[str] = frozenset()
    branch: Branch | None = None
    cache_window: timedelta | None = None
    retry_policies: tuple[RetryPolicy, ...] = ()
    property_files: dict[str, PropertyFile] = field(default_factory=dict)
    function_arn: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    """A pipeline definition without faults.

    Attributes:
        parameters: by name.
        steps: by name, in the order of the definition, a branch's steps after their condition step.
        experiment: ``PipelineExperimentConfig``, expressions not yet evaluated; empty where there is none.
    """

    parameters: dict[str, Parameter]
    steps: dict[str, Step]
    experiment: dict[str, Json]

    def ancestors(self, name: str) -> set[str]:
        """Names of the steps that have to be done before a step, directly or through others."""
        found: set[str] = set()
        pending = [name]
        while pending:
            new = self.steps[pending.pop()].dependencies - found
            found |= new
            pending.extend(new)
        return found
