"""MakeFolds: the Spark job that validates, encodes and splits the input."""

from __future__ import annotations

from typing import Any

from pipeline.definition.assets import FOLD_PACKAGE
from pipeline.definition.fold_options import FILE, fold_options_upload
from pipeline.definition.sdk import Join, JsonGet, ProcessingStep, PropertyFile, PySparkProcessor, image_uris
from pipeline.definition.step_factory import PROCESSING, StepFactory

ENTRY = "make_folds.py"
OUTPUT = "folds"
"""Name of the output. The job reads its S3 URI from its own configuration."""

_REPORT = PropertyFile(name="Folds", output_name=OUTPUT, path="folds.json")

_SPARK, _PYTHON, _CONTAINER = "3.5", "py312", "v1.3"
"""The image's pinned tag. A floating tag would change the job and its cache key without notice."""


def make_folds(factory: StepFactory) -> Any:
    """Return the step. Its output ``folds`` contains ``vc1`` to ``vck`` and ``folds.json``."""
    folds, parameters = factory.config.folds, factory.parameters
    key = factory.config.aws.kms_key_arn
    processor = PySparkProcessor(
        base_job_name="make-folds",
        image_uri=image_uris.retrieve(
            "spark", factory.config.aws.region, version=_SPARK, py_version=_PYTHON, container_version=_CONTAINER
        ),
        role=factory.resources.job_role_arn,
        instance_type=parameters.processing_instance_type,
        instance_count=parameters.processing_instance_count,
        volume_size_in_gb=folds.volume_gigabytes,
        volume_kms_key=key,
        output_kms_key=key,
        max_runtime_in_seconds=folds.max_runtime_minutes * 60,
        env=factory.environment(),
        network_config=factory.network(),
        tags=factory.tags,
        sagemaker_session=factory.session,
    )
    arguments = [
        *("--input", parameters.input_data_uri),
        *("--data-version", parameters.data_version),
        *("--job-config", "/opt/ml/config/processingjobconfig.json"),
        *("--output-name", OUTPUT),
        *("--options", f"{PROCESSING}/input/options/{FILE}"),
    ]
    return ProcessingStep(
        name="MakeFolds",
        display_name="Make folds",
        description=f"Check, encode and split the rows into {folds.count} cross-validation folds",
        step_args=processor.run(
            submit_app=factory.code(ENTRY).uri,
            submit_py_files=[factory.code(FOLD_PACKAGE).uri],
            inputs=[factory.input("options", fold_options_upload(factory.config, factory.resources).uri)],
            outputs=[factory.output(OUTPUT)],
            arguments=arguments,
        ),
        property_files=[_REPORT],
        cache_config=factory.cache(),
        retry_policies=factory.job_retries(),
    )


def suggested(folds_step: Any, name: str) -> Any:
    """Return a hyperparameter that MakeFolds suggests for the number of rows, as text."""
    return Join("", [JsonGet(step_name=folds_step.name, property_file=_REPORT, json_path=f"suggested.{name}")])


def folds_uri(folds_step: Any) -> Any:
    """Return the S3 URI of the folds; for a cached step, that of the job that made them."""
    return folds_step.properties.ProcessingOutputConfig.Outputs[OUTPUT].S3Output.S3Uri


def fold_uri(folds_step: Any, fold: int, *parts: str) -> Any:
    """Return a URI in the folder of one fold, 1 to k."""
    return Join("/", [folds_uri(folds_step), f"vc{fold}", *parts])
