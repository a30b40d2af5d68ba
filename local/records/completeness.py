"""Checks at the start that records have the members that the service reads without asking."""

from __future__ import annotations

import json
import math
from typing import Any

from local.records import executions, functions, tags
from local.records.kinds import (
    ASYNCHRONOUS_INVOCATION,
    ENDPOINT,
    ENDPOINT_CONFIG,
    EVENT,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    MOTO_REQUEST,
    PIPELINE,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TUNING_JOB,
    Kind,
)
from local.storage.set_aside import SetAside
from local.storage.store import Document, Store

Members = dict[str, type]

_DATED: Members = {"CreationTime": float, "LastModifiedTime": float}


def _named(kind: Kind, **more: type) -> Members:
    return {kind.name_member: str, kind.arn_member: str, "CreationTime": float, **more}


def _job(kind: Kind, **more: type) -> Members:
    return _named(kind, **{kind.status_member: str}, LastModifiedTime=float, **more)


REQUIRED: dict[str, Members] = {
    PIPELINE.name: _named(PIPELINE, PipelineStatus=str, PipelineVersionId=int, LastModifiedTime=float, RoleArn=str),
    executions.PIPELINE_VERSION: {"PipelineArn": str, "PipelineVersionId": int, "_Definition": str},
    executions.EXECUTION: {
        **dict.fromkeys(("PipelineExecutionArn", "PipelineArn", "PipelineExecutionStatus", "_PipelineName"), str),
        **_DATED,
        **{"PipelineVersionId": int, "RoleArn": str, "_Parameters": dict},
    },
    executions.STEP: {"StepName": str, "StepStatus": str, "StartTime": float, "Metadata": dict},
    PROCESSING_JOB.name: _job(PROCESSING_JOB, AppSpecification=dict, ProcessingResources=dict),
    TRAINING_JOB.name: _job(
        TRAINING_JOB, AlgorithmSpecification=dict, SecondaryStatus=str, SecondaryStatusTransitions=list
    ),
    TUNING_JOB.name: _job(TUNING_JOB, HyperParameterTuningJobConfig=dict),
    TRANSFORM_JOB.name: _job(TRANSFORM_JOB, ModelName=str, TransformInput=dict),
    MODEL.name: _named(MODEL),
    MODEL_PACKAGE_GROUP.name: _named(MODEL_PACKAGE_GROUP, ModelPackageGroupStatus=str, _NextVersion=int),
    # Packages without a group have no ModelPackageGroupName and no ModelPackageVersion.
    MODEL_PACKAGE.name: _named(MODEL_PACKAGE, ModelPackageStatus=str),
    ENDPOINT_CONFIG.name: _named(ENDPOINT_CONFIG, ProductionVariants=list),
    ENDPOINT.name: _named(ENDPOINT, EndpointStatus=str, LastModifiedTime=float),
    functions.KIND: {
        **dict.fromkeys(("FunctionName", "FunctionArn", "Runtime", "Handler", "RevisionId", "_Code"), str),
        **{"Timeout": int, "MemorySize": int, "_Policy": list, "_Tags": dict},
    },
    tags.KIND: {"Values": dict},
    EVENT: {**dict.fromkeys(("id", "source", "detail-type"), str), "detail": dict},
    ASYNCHRONOUS_INVOCATION: {
        **{"RequestId": str, "FunctionArn": str, "Accepted": float, "Failures": int, "Faults": int},
    },
    MOTO_REQUEST: {
        **dict.fromkeys(("Key", "Service", "Operation", "Method", "Path", "Query", "Body"), str),
        **{"Time": float, "Headers": dict},
    },
}
"""Members by kind of record. Numbers of any type are floats.

A member that a valid request can leave out must not be here: its record would be lost at the next start.
"""


def set_aside_incomplete(store: Store, aside: SetAside) -> None:
    """Take out of the store the records that lack a member which every record of their kind has.

    One such record would otherwise fail the start, or every list of its kind.
    """
    for kind, members in REQUIRED.items():
        for key, record in store.items(kind):
            if why := _fault(record, members):
                aside.record(kind, key, json.dumps(record), why)
                store.delete(kind, key)


def _fault(record: Document, members: Members) -> str:
    for name, wanted in members.items():
        if name not in record:
            return f"lacks the member {name}"
        if not _has_type(record[name], wanted):
            return f"has a wrong member {name}"
    return ""


def _has_type(value: Any, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, wanted)
