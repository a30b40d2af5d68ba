"""The steps of a definition, and the requests that SageMaker sends with their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from definition_language.constraints import Constraint, Fault, faults, kind_of
from definition_language.expressions import ExpressionError, Reference, references
from definition_language.models import input_shape, service_model
from definition_language.paths import Token
from definition_language.values import PARAMETER_KINDS, Kinds, foreseen

Document = dict[str, Any]

_ROLES = frozenset({"RoleArn", "ExecutionRoleArn"})
"""The role members of a request. SageMaker uses the pipeline's role if a step does not name one."""


@dataclass(frozen=True)
class StepRequest:
    """The operations that a type of step calls.

    Attributes:
        create: the operation that takes the step's arguments.
        describes: the operations that return the step's properties.
        given: members of the request that the execution adds.
        refused: members of the request that a step must not have.
    """

    create: str
    describes: tuple[str, ...]
    given: frozenset[str]
    refused: frozenset[str] = frozenset()


def _job(kind: str, *also: str) -> StepRequest:
    return StepRequest(f"Create{kind}", (f"Describe{kind}", *also), _ROLES | {f"{kind}Name"})


STEP_REQUESTS = {
    "Processing": _job("ProcessingJob"),
    "Training": _job("TrainingJob"),
    "Tuning": _job("HyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob"),
    "Transform": _job("TransformJob"),
    "Model": _job("Model"),
    "RegisterModel": StepRequest(
        "CreateModelPackage",
        ("DescribeModelPackage",),
        frozenset(),
        # "Unknown Argument member 'ModelPackageName'": https://github.com/aws/sagemaker-python-sdk/pull/3472
        frozenset({"ModelPackageName", "ClientToken"}),
    ),
}
"""The operations of each type of step whose arguments are a request that botocore knows."""


def argument_faults(step_type: str, arguments: Document, kinds_of: Callable[[str], Kinds]) -> Iterator[Fault]:
    """Yield the faults of a step's arguments.

    Args:
        step_type: one of ``STEP_REQUESTS``; steps of other types are not checked.
        arguments: the step's Arguments, with their expressions.
        kinds_of: returns the possible kinds of a ``Get``'s value.
    """
    request = STEP_REQUESTS.get(step_type)
    if request is None:
        return
    shape = input_shape("sagemaker", request.create)
    for name in sorted(request.refused & set(arguments)):
        yield Fault((name,), Constraint.KNOWN, arguments[name], tuple(sorted(set(shape.members) - request.refused)))
    admitted = {name: value for name, value in arguments.items() if name not in request.refused}
    yield from faults(shape, foreseen(admitted, kinds_of), given=request.given)


def text_faults(display_name: Any, description: Any) -> Iterator[tuple[str, Fault]]:
    """Yield the faults of a step's display name and description; None means that there is none.

    Yields:
        The member's name, and what is wrong with it.
    """
    for member, shape, text in (
        ("DisplayName", "StepDisplayName", display_name),
        ("Description", "StepDescription", description),
    ):
        if text is not None:
            yield from ((member, fault) for fault in faults(service_model("sagemaker").shape_for(shape), text))


class References:
    """The types of a definition's references, as far as they are known before an execution."""

    def __init__(self, parameter_types: dict[str, str], steps: dict[str, tuple[str, dict[str, str]]]) -> None:
        """Keep the types of parameters and steps.

        Args:
            parameter_types: maps a parameter's name to its type.
            steps: maps a step's name to its type and to the types of its OutputParameters by name.
        """
        self._parameter_types = parameter_types
        self._steps = steps

    def kinds_of(self, get: str) -> Kinds:
        """Return the possible kinds of a ``Get``'s value; None if they are not known."""
        try:
            (reference,) = references({"Get": get})
        except ExpressionError:
            return None
        if reference.root == "Parameters":
            return PARAMETER_KINDS.get(self._parameter_types.get(reference.name, ""))
        if reference.root == "Steps" and reference.name in self._steps:
            return self._kinds_of_property(reference)
        return None

    def _kinds_of_property(self, reference: Reference) -> Kinds:
        step_type, outputs = self._steps[reference.name]
        if len(reference.path) == 2 and reference.path[0] == "OutputParameters":
            return PARAMETER_KINDS.get(outputs.get(str(reference.path[1]), ""))
        shape = property_shape(step_type, reference.path)
        return None if shape is None else kind_of(shape)


def property_shape(step_type: str, path: tuple[Token, ...]) -> Shape | None:
    """Return the shape of a step's property; None if there is none or the type of step is not known."""
    request = STEP_REQUESTS.get(step_type)
    for describe in request.describes if request else ():
        shape = _at(service_model("sagemaker").operation_model(describe).output_shape, path)
        if shape is not None:
            return shape
    return None


def _at(shape: Shape | None, path: tuple[Token, ...]) -> Shape | None:
    if not path:
        return shape
    token, rest = path[0], path[1:]
    if isinstance(shape, StructureShape):
        return _at(shape.members[token], rest) if token in shape.members else None
    if isinstance(shape, MapShape):
        return _at(shape.value, rest)
    return _at(shape.member, rest) if isinstance(shape, ListShape) else None
