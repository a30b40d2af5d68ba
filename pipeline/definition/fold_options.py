"""The options of steps/make_folds.py for a configuration: the same in the pipeline and in ``make fold``.

They are one JSON document, which the job reads as an input. Container arguments are too small for the columns of a
wide table: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AppSpecification.html takes 100 of them, with
256 characters each.
"""

from __future__ import annotations

import hashlib
import json

from pipeline.config.models import Config
from pipeline.definition.assets import Upload
from pipeline.definition.resources import Resources

FILE = "fold_options.json"

_DATASET = ("header", "delimiter", "encoding", "label", "numeric", "categorical", "groups")
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
    """Return the document: everything but where the input is and where the output goes.

    Its keys are those of config.yaml. Equal options give equal bytes.
    """
    document = {
        "aws": {"kms_key_arn": config.aws.kms_key_arn},
        "dataset": config.dataset.model_dump(include=set(_DATASET)),
        "folds": config.folds.model_dump(include=set(_FOLDS)),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def fold_options_upload(config: Config, resources: Resources) -> Upload:
    """Return the document's upload, under the hash of its content.

    So cached steps see another URI if, and only if, an option differs.
    """
    content = fold_options(config)
    digest = hashlib.sha256(content).hexdigest()
    return Upload(content, resources.bucket, f"{config.pipeline.name}/options/{digest}/{FILE}")
