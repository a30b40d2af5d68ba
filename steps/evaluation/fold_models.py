"""Reads the models of the chosen hyperparameters, one for each fold."""

from __future__ import annotations

import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

from evaluation.artifact import artifact_digest
from evaluation.choice import Choice
from evaluation.clients import Clients
from evaluation.models import LINEAR_LEARNER, Model, read_model


@dataclass(frozen=True)
class FoldModels:
    """The models of the chosen hyperparameters.

    Attributes:
        sha256: the digest of the model, or of all models if one is refitted from the same rows.
        models: the model of each fold; empty if one of them is not known.
        missing: why ``models`` is empty, or None.
        model_data: the URI of the winner's artifact.
        metrics: the winner's metrics by name.
    """

    sha256: str
    models: list[Model]
    missing: str | None
    model_data: str | None
    metrics: dict[str, float]


def read_fold_models(clients: Clients, choice: Choice, target: Path, algorithm: str = LINEAR_LEARNER) -> FoldModels:
    """Read the models of the chosen point, and copy the winner's artifact.

    Args:
        clients: boto3's clients.
        choice: the choice.
        target: where the winner's artifact goes.
        algorithm: the algorithm that trained them.
    """
    models, digests, missing = [], [], None if choice.point.eligible else "the folds have no common point"
    model_data, metrics = None, {}
    with tempfile.TemporaryDirectory() as folder:
        for job in [job for job in choice.point.jobs if job is not None]:
            description = clients.sagemaker.describe_training_job(TrainingJobName=job.name)
            uri = description["ModelArtifacts"]["S3ModelArtifacts"]
            file = target if job == choice.winner else Path(folder) / "model.tar.gz"
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            clients.s3.download_file(bucket, key, str(file))
            digests.append(artifact_digest(file))
            if job == choice.winner:
                model_data, sha256 = uri, digests[-1]
                # AWS's JSON has numbers that are not finite as text. best.json leaves them out: JSON has none.
                named = {m["MetricName"]: float(m["Value"]) for m in description.get("FinalMetricDataList", [])}
                metrics = {name: value for name, value in named.items() if math.isfinite(value)}
            try:
                models.append(read_model(file, algorithm))
            except ValueError as error:
                missing = missing or f"the artifact of {job.name} cannot be read: {error}"
    if choice.winner is None:
        # The model does not exist yet. The folds' models stand for it: if they are the same, so are rows and settings.
        sha256 = "refit-" + hashlib.sha256("".join(digests).encode()).hexdigest()
    return FoldModels(sha256, [] if missing else models, missing, model_data, metrics)
