"""Finds out why an execution failed: each reason once, with the end of the job's log.

It uses only the APIs of SageMaker and CloudWatch Logs, so it works with AWS and with the local service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from pipeline.errors import with_trust_hint
from pipeline.operate.execution import ExecutionState, StepState
from pipeline.text import number_of

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import HyperParameterTrainingJobSummaryTypeDef

_JOBS: dict[Literal["ProcessingJob", "TrainingJob", "TransformJob"], tuple[str, str]] = {
    "ProcessingJob": ("processing", "/aws/sagemaker/ProcessingJobs"),
    "TrainingJob": ("training", "/aws/sagemaker/TrainingJobs"),
    "TransformJob": ("transform", "/aws/sagemaker/TransformJobs"),
}
"""Keys of a step's metadata that name a job; for each, the job's kind in the API and its log group."""

_VARYING = re.compile(r"\bpipelines-[\w-]+|\b[0-9a-f]{8,}\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?")
"""Job names, hashes and numbers, which differ between equal reasons."""


@dataclass(frozen=True)
class LogTail:
    """The end of a log stream.

    Attributes:
        name: log group and stream.
        lines: the last lines, oldest first.
    """

    name: str
    lines: list[str]


@dataclass(frozen=True)
class Failure:
    """A reason for which one or more steps failed.

    Attributes:
        steps: names of the steps that failed for this reason.
        reason: the complete reason of the first of them.
        logs: the ends of the logs of the first of them; empty without logs.
    """

    steps: list[str]
    reason: str
    logs: list[LogTail]

    @property
    def sentence(self) -> str:
        """The steps and the reason."""
        return f"{', '.join(self.steps)} failed: {self.reason}"


def failures_of(session: Session, state: ExecutionState, lines: int) -> list[Failure]:
    """Return why the steps of an execution failed.

    Args:
        session: a ``boto3.Session`` of the account.
        state: the execution.
        lines: maximum number of lines to read from a log.

    Returns:
        The failures in the order of the steps. Reasons that differ only in numbers and names are one failure.
    """
    finder = _Finder(session.client("sagemaker"), session.client("logs"), lines)
    found: dict[str, Failure] = {}
    for step in state.steps:
        if step.status != "Failed":
            continue
        reason, streams = finder.cause(step)
        alike = found.get(_pattern(reason))
        if alike is not None:
            alike.steps.append(step.name)
            continue
        if step.name == "VerifyEndpoint":
            streams += _endpoint_log(state)
        found[_pattern(reason)] = Failure([step.name], with_trust_hint(reason), list(finder.tails(streams)))
    return list(found.values())


def _pattern(reason: str) -> str:
    return _VARYING.sub("#", reason)


def _endpoint_log(state: ExecutionState) -> list[tuple[str, str]]:
    """Return the log of the endpoint that the execution deployed, which may say why VerifyEndpoint failed."""
    deploy = state.step("DeployEndpoint")
    outputs = deploy.metadata.get("Lambda", {}).get("OutputParameters", []) if deploy else []
    return [(f"/aws/sagemaker/Endpoints/{each['Value']}", "") for each in outputs if each["Name"] == "endpoint_name"]


class _Finder:
    """Reads reasons from SageMaker and lines from CloudWatch Logs.

    A log is a pair: its log group, and the prefix of its streams' names.
    """

    def __init__(self, sagemaker: SageMakerClient, logs: CloudWatchLogsClient, lines: int) -> None:
        self._sagemaker = sagemaker
        self._logs = logs
        self._lines = lines

    def cause(self, step: StepState) -> tuple[str, list[tuple[str, str]]]:
        """Return the complete reason of a failed step, and its logs."""
        for key, (kind, group) in _JOBS.items():
            if key in step.metadata:
                return self._job(step, kind, group, _last_part(step.metadata[key]["Arn"]))
        if "TuningJob" in step.metadata:
            return self._tuning_job(step, _last_part(step.metadata["TuningJob"]["Arn"]))
        if "Lambda" in step.metadata:
            function = step.metadata["Lambda"]["Arn"].split(":")[6]
            return step.detail, [(f"/aws/lambda/{function}", "")]
        return step.detail, []

    def tails(self, logs: list[tuple[str, str]]) -> Iterator[LogTail]:
        """Yield the ends of the newest streams of some logs. Logs that cannot be read are left out."""
        for group, prefix in logs:
            try:
                yield from self._tail(group, prefix)
            except ClientError:
                continue

    def _tail(self, group: str, prefix: str) -> Iterator[LogTail]:
        # CloudWatch Logs orders by time only without a prefix.
        chosen = {"logStreamNamePrefix": prefix} if prefix else {"orderBy": "LastEventTime", "descending": True}
        for stream in self._logs.describe_log_streams(logGroupName=group, limit=1, **chosen)["logStreams"]:
            name = stream["logStreamName"]
            events = self._logs.get_log_events(
                logGroupName=group, logStreamName=name, limit=self._lines, startFromHead=False
            )
            lines = [event["message"].rstrip() for event in events["events"]]
            yield LogTail(f"{group} {name}", lines[-self._lines :])

    def _job(self, step: StepState, kind: str, group: str, name: str) -> tuple[str, list[tuple[str, str]]]:
        member = f"{kind.capitalize()}JobName"
        try:
            job = getattr(self._sagemaker, f"describe_{kind}_job")(**{member: name})
        except ClientError:
            return step.detail, []
        reason = job.get("FailureReason") or step.detail
        if said := _missing_from(reason, job.get("ExitMessage", "")):
            reason = f"{reason}\n{said}"
        # ARNs may have the job's name in lower case; log streams keep its case.
        return reason, [(group, f"{job[member]}/")]

    def _tuning_job(self, step: StepState, name: str) -> tuple[str, list[tuple[str, str]]]:
        pages = self._sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name
        )
        try:
            jobs = [job for page in pages for job in page["TrainingJobSummaries"]]
        except ClientError:
            return step.detail, []
        alike: dict[str, list[HyperParameterTrainingJobSummaryTypeDef]] = {}
        for job in jobs:
            if job["TrainingJobStatus"] == "Failed":
                alike.setdefault(_pattern(job.get("FailureReason", "")), []).append(job)
        if not alike:
            return step.detail, []
        groups = sorted(alike.values(), key=len, reverse=True)
        reason = "\n".join(
            f"{len(group)} of {number_of(len(jobs), 'training job')} failed: "
            f"{group[0].get('FailureReason', 'no reason given')}"
            for group in groups
        )
        return reason, [(_JOBS["TrainingJob"][1], f"{groups[0][0]['TrainingJobName']}/")]


def _missing_from(reason: str, exit_message: str) -> str:
    """Return a processing job's exit message, unless the reason contains its last line.

    On AWS the reason may be just ``AlgorithmError: , exit code: 1``. smspark's exit message is just the command line,
    which does not help, so it is left out.
    """
    lines = exit_message.strip().splitlines()
    if not lines or lines[0].startswith("Algorithm Error: (caused by CalledProcessError)") or lines[-1] in reason:
        return ""
    return exit_message.strip()


def _last_part(arn: str) -> str:
    return arn.rpartition("/")[2]
