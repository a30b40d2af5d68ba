"""The parsed form of a pipeline definition.

Source: the "pipeline definition JSON schema" of Amazon SageMaker Pipelines, version 2020-12-01, and the definitions
that the SageMaker Python SDK writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

Json = Any
"""Any JSON value."""

Scalar = str | int | float | bool


class MalformedError(ValueError):
    """A part of a definition is malformed."""


@dataclass(frozen=True)
class Parameter:
    """Declares a pipeline parameter.

    Attributes:
        name: The parameter's name.
        type: ``String``, ``Integer``, ``Float`` or ``Boolean``.
        default: The value for executions that give none; None if every execution must give a value.
        allowed: The allowed values; empty if any value of the type is allowed.
    """

    name: str
    type: str
    default: Scalar | None
    allowed: tuple[Scalar, ...]


@dataclass(frozen=True)
class RetryPolicy:
    """Says when and how often a step is retried after an error.

    Attributes:
        exceptions: The exception types that the policy covers, for example ``Step.THROTTLING``.
        interval: Seconds before the first retry.
        backoff_rate: The interval is multiplied by this factor for each further retry.
        max_attempts: The maximum number of retries; None for no limit.
        expire_after: The time after the step's start at which retries end; None for no limit.
    """

    exceptions: tuple[str, ...]
    interval: float
    backoff_rate: float
    max_attempts: int | None
    expire_after: timedelta | None


@dataclass(frozen=True)
class PropertyFile:
    """Locates a JSON file that a processing step writes and ``Std:JsonGet`` reads.

    Attributes:
        output_name: The processing output that contains the file.
        path: The file's path below that output.
    """

    output_name: str
    path: str


@dataclass(frozen=True)
class Branch:
    """Locates a step in a condition step's IfSteps or ElseSteps.

    Attributes:
        condition: The condition step's name.
        outcome: True for IfSteps, False for ElseSteps. The step runs if the condition has this outcome.
    """

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """Describes a step of a definition. The steps of a branch are not nested in their condition step.

    Attributes:
        name: The step's name, unique in the definition.
        type: ``Processing``, ``Training``, ``Tuning``, ``Transform``, ``Model``, ``RegisterModel``,
            ``Lambda``, ``Callback``, ``Condition`` or ``Fail``.
        arguments: The request, payload, conditions or message. Expressions are not yet evaluated.
        display_name: The name that users see; None if the definition has none.
        description: A text for users; None if the definition has none.
        depends_on: The names in ``DependsOn``.
        dependencies: The names of all steps that must succeed first: the steps in ``depends_on``, the steps in
            the arguments' expressions, and the condition step of the step's branch.
        branch: The step's place in a condition step; None at the top level.
        cache_window: The greatest age of a run that can be reused; None if caching is off.
        retry_policies: The policies, in the order of the definition.
        property_files: The property files, by name.
        function_arn: The function of a Lambda step.
        queue_url: The queue of a Callback step.
        outputs: The types of a Lambda or Callback step's outputs, by output name.
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
    queue_url: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def training_image(self) -> str | None:
        """The image of a Training or Tuning step's jobs, unless an execution decides about it."""
        if self.type not in ("Training", "Tuning") or not isinstance(self.arguments, dict):
            return None
        job = self.arguments.get("TrainingJobDefinition", self.arguments)
        specification = job.get("AlgorithmSpecification") if isinstance(job, dict) else None
        image = specification.get("TrainingImage") if isinstance(specification, dict) else None
        return image if isinstance(image, str) else None


@dataclass(frozen=True)
class Definition:
    """Describes a pipeline definition without faults.

    Attributes:
        parameters: The declared parameters, by name.
        steps: The steps, by name, in the order of the definition. A branch's steps follow their condition step.
        experiment: ``PipelineExperimentConfig``, empty if absent. Expressions are not yet evaluated.
    """

    parameters: dict[str, Parameter]
    steps: dict[str, Step]
    experiment: dict[str, Json]

    def ancestors(self, name: str) -> set[str]:
        """Return the names of all steps that a step depends on, directly or indirectly."""
        found: set[str] = set()
        pending = [name]
        while pending:
            new = self.steps[pending.pop()].dependencies - found
            found |= new
            pending.extend(new)
        return found
