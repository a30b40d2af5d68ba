"""Validation of a model package's model card.

Source: "Model package model card schema",
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema . The metrics' own values
are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.core.errors import conflict, validation_error
from local.core.json_text import JsonError, read_json
from local.storage.store import Document

_NOTE, _LONG_NOTE, _NAME, _ARN = 1024, 2048, 255, 1024


@dataclass(frozen=True)
class _Object:
    """An object with these members only, each with its own rule.

    A rule is the longest length of a text, the allowed texts, a list with the rule of its items, an object, ``dict``
    for an object of texts, or ``object`` for any value.
    """

    members: dict[str, Any]
    required: tuple[str, ...] = ()


_METRIC = _Object({"name": _NAME, "notes": _NOTE, "value": object}, ("name", "value"))
_HYPERPARAMETER = _Object({"name": _NAME, "value": _NAME}, ("name",))
_EVALUATED = _Object(
    {
        **{"name": _NAME, "notes": _NOTE, "value": object, "x_axis_name": object, "y_axis_name": object},
        "type": ("number", "string", "boolean", "bar_chart", "linear_graph", "matrix"),
    },
    ("name", "value"),
)
_CARD = _Object(
    {
        "model_overview": _Object({"model_creator": _NOTE, "model_artifact": [_NOTE]}),
        "intended_uses": _Object(
            {
                "purpose_of_model": _LONG_NOTE,
                "intended_uses": _LONG_NOTE,
                "factors_affecting_model_efficiency": _LONG_NOTE,
                "risk_rating": ("High", "Medium", "Low", "Unknown"),
                "explanations_for_risk_rating": _LONG_NOTE,
            }
        ),
        "business_details": _Object(
            {"business_problem": _LONG_NOTE, "business_stakeholders": _LONG_NOTE, "line_of_business": _LONG_NOTE}
        ),
        "training_details": _Object(
            {
                # The schema has no rule for its members.
                "objective_function": object,
                "training_observations": _NOTE,
                "training_job_details": _Object(
                    {
                        "training_arn": _ARN,
                        "training_datasets": [_NOTE],
                        "training_environment": _Object({"container_image": [_NOTE]}),
                        "training_metrics": [_METRIC],
                        "user_provided_training_metrics": [_METRIC],
                        "hyper_parameters": [_HYPERPARAMETER],
                        "user_provided_hyper_parameters": [_HYPERPARAMETER],
                    }
                ),
            }
        ),
        "evaluation_details": [
            _Object(
                {
                    "name": 63,
                    "evaluation_observation": 2096,
                    "evaluation_job_arn": 256,
                    "datasets": [_NOTE],
                    "metadata": dict,
                    "metric_groups": [_Object({"name": 63, "metric_data": [_EVALUATED]}, ("name", "metric_data"))],
                },
                ("name",),
            )
        ],
        "additional_information": _Object(
            {"ethical_considerations": _LONG_NOTE, "caveats_and_recommendations": _LONG_NOTE, "custom_details": dict}
        ),
    }
)


def check_card(request: Document, before: Document | None = None) -> None:
    """Check the model card of a request.

    Args:
        request: A request of CreateModelPackage or UpdateModelPackage.
        before: The package before an update.

    Raises:
        ServiceError: ValidationException, because the content is not JSON or does not match the schema; or
            ConflictException, because the card is archived.
    """
    content = request.get("ModelCard", {}).get("ModelCardContent")
    if content is None:
        return
    if before is not None and before.get("ModelCard", {}).get("ModelCardStatus") == "Archived":
        raise conflict("Model Card is in Archived state")
    try:
        faults = list(_faults(_CARD, read_json(content), ""))
    except JsonError as error:
        raise validation_error(f"ModelCard.ModelCardContent {error}") from None
    if faults:
        raise validation_error(f"ModelCard.ModelCardContent does not match its schema: {'; '.join(faults[:10])}")


def metadata_only(card: Document) -> Document:
    """Return a card with its status and risk rating only, as DescribeModelPackage does for MetadataOnly.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelPackage.html
    """
    if "ModelCardContent" not in card:
        return card
    uses = json.loads(card["ModelCardContent"]).get("intended_uses", {})
    kept = {"intended_uses": {"risk_rating": uses["risk_rating"]}} if "risk_rating" in uses else {}
    return {**card, "ModelCardContent": json.dumps(kept)}


def _faults(rule: Any, value: Any, place: str) -> Iterator[str]:
    if isinstance(rule, _Object):
        yield from _object_faults(rule, value, place)
    elif isinstance(rule, list):
        if not isinstance(value, list):
            yield f"{place} must be a list"
            return
        for index, item in enumerate(value):
            yield from _faults(rule[0], item, f"{place}[{index}]")
    elif rule is not object:
        yield from _value_faults(rule, value, place)


def _object_faults(rule: _Object, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place or 'the card'} must be an object"
        return
    for name in rule.required:
        if name not in value:
            yield f"{place} has no {name}"
    for name, item in value.items():
        below = f"{place}.{name}" if place else name
        if name in rule.members:
            yield from _faults(rule.members[name], item, below)
        else:
            yield f"{below} is unknown; known here: {', '.join(rule.members)}"


def _value_faults(rule: Any, value: Any, place: str) -> Iterator[str]:
    if rule is dict:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            yield f"{place} must be an object of texts"
    elif isinstance(rule, tuple):
        if value not in rule:
            yield f"{place} must be one of {', '.join(rule)}"
    elif not isinstance(value, str):
        yield f"{place} must be a text"
    elif len(value) > rule:
        yield f"{place} has {len(value)} characters, and may have {rule}"
