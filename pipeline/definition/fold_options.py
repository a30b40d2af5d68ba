"""The options document of steps/make_folds.py, for the pipeline and for ``make fold``.

The job reads it as an input. SageMaker takes at most 100 container arguments of 256 characters, too few for a wide
table: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pipeline.config.models import Config
from pipeline.definition.assets import Upload
from pipeline.definition.resources import Resources

FILE = "fold_options.json"

_DATASET = (
    "header",
    "delimiter",
    "encoding",
    "decimal",
    "label",
    "label_transform",
    "numeric",
    "dates",
    "categorical",
    "missing",
    "missing_values",
    "missing_indicators",
    "groups",
    "ignored",
)
_FOLDS = (
    "count",
    "shuffle",
    "seed",
    "layout",
    "stratify",
    "on_bad_rows",
    "max_bad_share",
    "target_file_megabytes",
)


def fold_options(config: Config) -> bytes:
    """Return the document. It does not name the input and the output.

    Its keys are those of config.yaml, and ``folds.all_rows``, which RefitModel needs. Those of classification are
    absent for regression.

    Equal options give equal bytes.
    """
    document: dict[str, dict[str, Any]] = {
        "aws": {"kms_key_arn": config.aws.kms_key_arn},
        "dataset": config.dataset.model_dump(include=set(_DATASET)),
        "folds": config.folds.model_dump(include=set(_FOLDS)) | {"all_rows": config.selection.refits},
    }
    if config.training.problem != "regression":
        document["training"] = {"problem": config.training.problem}
        document["dataset"]["classes"] = config.dataset.classes
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def fold_options_upload(config: Config, resources: Resources) -> Upload:
    """Return the document's upload.

    Its URI contains the hash of its content, so it changes the step's cache key only when an option changes.
    """
    content = fold_options(config)
    digest = hashlib.sha256(content).hexdigest()
    return Upload(content, resources.bucket, f"{config.pipeline.name}/options/{digest}/{FILE}")
