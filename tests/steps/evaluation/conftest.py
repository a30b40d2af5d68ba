"""A finished search in an account: folds and artifacts in moto's S3, training jobs as SageMaker describes them."""

from __future__ import annotations

import datetime
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import select_best
from botocore.stub import Stubber
from evaluation.clients import Clients
from moto import mock_aws

from local.algorithms.linear_learner import artifact, links
from tests.local.conftest import make_artifact

BUCKET = "bucket"
FOLDS_URI = f"s3://{BUCKET}/folds"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

Rows = list[tuple[np.ndarray, np.ndarray]]
"""The features and labels of each fold."""


def make_rows(sizes: list[int], weights: list[float], *, noise: float = 1.0, seed: int = 0) -> Rows:
    """Return random rows of a linear model."""
    random = np.random.RandomState(seed)
    folds = []
    for size in sizes:
        features = random.normal(size=(size, len(weights))) * [10.0**place for place in range(len(weights))] + 5
        folds.append((features, features @ np.array(weights) + 3 + noise * random.normal(size=size)))
    return folds


def classifier(
    folder: Path,
    weights: np.ndarray,
    bias: np.ndarray | float,
    output: str = links.LOGISTIC,
    threshold: float | None = 0.5,
) -> bytes:
    """Return the artifact of a linear-learner classifier, as the local service writes it."""
    file = folder / "model_algo-1"
    threshold = None if output == links.SOFTMAX else threshold
    artifact.write(file, np.asarray(weights, np.float32), np.asarray(bias, np.float32), output, threshold)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(file, "model_algo-1")
    return archive.getvalue()


def packed(path, name="model_algo-1", date=(2026, 1, 1, 0, 0, 0), params=b"weights"):
    """An artifact as linear-learner packs it: a zip in a tar, both with dates."""
    model = io.BytesIO()
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mx-mod-0000.params", date), params)
        archive.writestr(zipfile.ZipInfo("mx-mod-symbol.json", date), b"{}")
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mtime = len(model.getvalue()), date[0]
        archive.addfile(member, io.BytesIO(model.getvalue()))
    return path


@dataclass
class Experiment:
    """The account. ``add`` adds a training job; ``select`` runs SelectBest."""

    folder: Path
    rows: Rows
    strategy: str = "Grid"
    objective: str = "validation:mse"
    direction: str = "Minimize"
    asked: str = "validation:mse"
    asked_direction: str | None = None
    algorithm: str = "linear-learner"
    problem: str = "regression"
    classes: list[str] | None = None
    static: dict[str, str] = field(default_factory=lambda: {"mini_batch_size": "2", "epochs": "100"})
    jobs: list[list[dict[str, Any]]] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=lambda: {"validation:mse": 3.5})

    def __post_init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.sagemaker = boto3.client("sagemaker", region_name="us-east-1")
        self.jobs = [[] for _ in self.rows]
        for fold, (features, labels) in enumerate(self.rows, start=1):
            table = np.column_stack([labels, features]).tolist()
            lines = [",".join(map(repr, row)) + "\n" for row in table]
            half = len(lines) // 2
            for part, text in enumerate([lines[:half], lines[half:]]):
                key = f"folds/vc{fold}/test/part-{part}.csv"
                self.s3.put_object(Bucket=BUCKET, Key=key, Body="".join(text).encode())

    @property
    def folds(self) -> dict[str, Any]:
        """folds.json."""
        sizes = [len(labels) for _, labels in self.rows]
        counts = [[int((labels == place).sum()) for place in range(len(self.classes or []))] for _, labels in self.rows]
        return {
            "rows": sum(sizes),
            "folds": [
                {"fold": fold, "test_rows": size, "train_rows": sum(sizes) - size, "class_rows": counts[fold - 1]}
                for fold, size in enumerate(sizes, start=1)
            ],
            "problem": self.problem,
            "classes": self.classes,
            "class_rows": [sum(column) for column in zip(*counts, strict=True)],
            "columns": {"label": "y", "features": [f"x{place}" for place in range(self.rows[0][0].shape[1])]},
            "encoding": {},
            "preparation": {"label_transform": None, "dates": {}, "missing_indicators": [], "other": []},
            "shuffle": True,
            "rejected": {"total": 2},
            "data_version": "7",
        }

    def add(
        self,
        fold: int,
        mse: float | None,
        *,
        status: str = "Completed",
        weights: list[float] | None = None,
        bias: float = 0.0,
        artifact: bytes | None = None,
        **hyperparameters: str,
    ) -> str:
        """Add a training job and its artifact; return its name."""
        name = f"job-{fold}-{len(self.jobs[fold - 1])}"
        job: dict[str, Any] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"{ARN}:training-job/{name}",
            "CreationTime": NOW,
            "TrainingJobStatus": status,
            "TunedHyperParameters": hyperparameters,
        }
        if mse is not None:
            job["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": self.objective, "Value": mse}
        self.jobs[fold - 1].append(job)
        if artifact is None:
            artifact = make_artifact(self.folder, weights or [1.0] * self.rows[0][0].shape[1], bias)
        self.s3.put_object(Bucket=BUCKET, Key=f"models/{name}/output/model.tar.gz", Body=artifact)
        return name

    def select(self, rule: str = "lowest_mse", *described: str) -> dict[str, Any]:
        """Run SelectBest; return the outputs by file name.

        Args:
            rule: the rule.
            described: the training jobs that it is expected to describe, in order.
        """
        best, evaluation = self.folder / "best", self.folder / "evaluation"
        for folder in (best, evaluation):
            folder.mkdir(exist_ok=True)
        arguments = ["--objective", self.asked, "--rule", rule, "--folds", "-", "--folds-uri", FOLDS_URI]
        arguments += ["--direction", self.asked_direction or self.direction, "--algorithm", self.algorithm]
        arguments += [part for fold in range(1, len(self.rows) + 1) for part in ("--tuning-job", f"tune-{fold}")]
        options = select_best.parser().parse_args([*arguments, "--best", str(best), "--evaluation", str(evaluation)])
        with Stubber(self.sagemaker) as stubber:
            self._will_answer(stubber, described)
            runtime = boto3.client("sagemaker-runtime", region_name="us-east-1")
            found = select_best.run(options, Clients(self.sagemaker, self.s3, runtime), self.folds)
            stubber.assert_no_pending_responses()
        files = {path.name: path.read_text() for path in evaluation.iterdir()}
        outputs = {name: json.loads(text) if name.endswith(".json") else text for name, text in files.items()}
        return {"best.json": json.loads(json.dumps(found)), **outputs}

    def _will_answer(self, stubber: Stubber, described: tuple[str, ...]) -> None:
        for fold, jobs in enumerate(self.jobs, start=1):
            self._will_list(stubber, f"tune-{fold}", jobs)
        for name in described:
            stubber.add_response(
                "describe_training_job",
                {
                    "TrainingJobName": name,
                    "TrainingJobArn": f"{ARN}:training-job/{name}",
                    "ModelArtifacts": {"S3ModelArtifacts": f"s3://{BUCKET}/models/{name}/output/model.tar.gz"},
                    "TrainingJobStatus": "Completed",
                    "SecondaryStatus": "Completed",
                    "AlgorithmSpecification": {"TrainingInputMode": "File"},
                    "ResourceConfig": {"VolumeSizeInGB": 1},
                    "StoppingCondition": {},
                    "CreationTime": NOW,
                    "FinalMetricDataList": [
                        {"MetricName": metric, "Value": value, "Timestamp": NOW}
                        for metric, value in self.metrics.items()
                    ],
                },
                {"TrainingJobName": name},
            )

    def _will_list(self, stubber: Stubber, tuning: str, jobs: list[dict[str, Any]]) -> None:
        stubber.add_response(
            "describe_hyper_parameter_tuning_job",
            {
                "HyperParameterTuningJobName": tuning,
                "HyperParameterTuningJobArn": f"{ARN}:hyper-parameter-tuning-job/{tuning}",
                "HyperParameterTuningJobConfig": {
                    "Strategy": self.strategy,
                    "ResourceLimits": {"MaxParallelTrainingJobs": 1},
                    "HyperParameterTuningJobObjective": {"Type": self.direction, "MetricName": self.objective},
                },
                "TrainingJobDefinition": {
                    "StaticHyperParameters": self.static,
                    "AlgorithmSpecification": {"TrainingInputMode": "File"},
                    "RoleArn": "arn:aws:iam::123456789012:role/job",
                    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
                    "StoppingCondition": {},
                },
                "HyperParameterTuningJobStatus": "Completed",
                "CreationTime": NOW,
                "TrainingJobStatusCounters": {},
                "ObjectiveStatusCounters": {},
            },
            {"HyperParameterTuningJobName": tuning},
        )
        pages = [jobs[:2], jobs[2:]] if len(jobs) > 2 else [jobs]
        for number, page in enumerate(pages):
            expected = {"HyperParameterTuningJobName": tuning} | ({"NextToken": str(number)} if number else {})
            response: dict[str, Any] = {"TrainingJobSummaries": page}
            if number < len(pages) - 1:
                response["NextToken"] = str(number + 1)
            stubber.add_response("list_training_jobs_for_hyper_parameter_tuning_job", response, expected)


@contextmanager
def experiments(folder: Path) -> Iterator[Any]:
    """Provide what makes an experiment of the rows of its folds, with its files in a folder."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "x")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield lambda rows, **options: Experiment(folder, rows, **options)


@pytest.fixture
def experiment(tmp_path) -> Iterator[Any]:
    """Return what makes an experiment of the rows of its folds."""
    with experiments(tmp_path) as made:
        yield made
