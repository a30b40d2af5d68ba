"""A notebook's client code, sections as in the notebook, with the SageMaker Python SDK of its time, version 2.

    Estimator, HyperparameterTuner, best_training_job, describe_training_job, Model.register, Model.deploy, Predictor
    with CSVSerializer and JSONDeserializer, invoke_endpoint of boto3

Nothing in it is written for the local service: the environment points it there, as it would point any AWS client.
Version 2 cannot be installed beside version 3: this runs in an environment of its own, by ``make test-clients``.
"""

from __future__ import annotations

import csv
import json
import random
import time
from pathlib import Path

import boto3
import sagemaker
from sagemaker.analytics import HyperparameterTuningJobAnalytics, TrainingJobAnalytics
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.tuner import CategoricalParameter, HyperparameterTuner

BUCKET = "notebook-data"
ROLE = "arn:aws:iam::123456789012:role/notebook"
PREFIX = "data/insurance_dataset_validacion_cruzada/vc1"
CATEGORIES = {
    "sex": ["female", "male"],
    "region": ["northeast", "northwest", "southeast", "southwest"],
    "smoker": ["no", "yes"],
}
RECORDS = [
    [19.0, 27.9, 0.0, 1, 0, 0, 0, 0, 1, 0, 1],
    [18.0, 33.770, 1.0, 0, 1, 0, 0, 1, 0, 1, 0],
    [28.0, 33.000, 3.0, 0, 1, 0, 0, 1, 0, 1, 0],
]


def upload_fold() -> None:
    """Put one fold where the notebook's first section leaves it: label first, encoded, no header."""
    with (Path(__file__).resolve().parents[2] / "data/insurance.csv").open(newline="") as file:
        rows = [
            [row["charges"], row["age"], row["bmi"], row["children"]]
            + [str(int(row[name] == value)) for name, values in CATEGORIES.items() for value in values]
            for row in csv.DictReader(file)
        ]
    random.Random(1).shuffle(rows)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, part in {"test": rows[:267], "train": rows[267:]}.items():
        s3.put_object(
            Bucket=BUCKET, Key=f"{PREFIX}/{name}/part-00000.csv", Body="\n".join(map(",".join, part)).encode()
        )


def train_and_tune(session: sagemaker.Session) -> tuple[str, str]:
    """Section 2: one training job with the defaults, then the grid.

    Returns:
        The names of the tuning job and of its best training job.
    """
    inputs = {
        channel: TrainingInput(
            f"s3://{BUCKET}/{PREFIX}/{folder}/",
            content_type="text/csv",
            distribution="FullyReplicated",
            s3_data_type="S3Prefix",
            input_mode="File",
            record_wrapping="None",
        )
        for channel, folder in {"train": "train", "validation": "test"}.items()
    }
    estimator = Estimator(
        image_uri=sagemaker.image_uris.retrieve("linear-learner", session.boto_region_name),
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.large",
        predictor_type="regressor",
        sagemaker_session=session,
        base_job_name="entrenamiento-prediccion-numerica-vc1",
    )
    estimator.set_hyperparameters(
        feature_dim=11, predictor_type="regressor", normalize_data="true", normalize_label="true", mini_batch_size=100
    )
    estimator.fit(inputs)
    tuner = HyperparameterTuner(
        estimator,
        "validation:mse",
        {
            "learning_rate": CategoricalParameter([0.0001, 0.001, 0.01, 0.1]),
            "l1": CategoricalParameter([0.001, 0.01, 0.1]),
        },
        objective_type="Minimize",
        max_jobs=12,
        max_parallel_jobs=10,
        strategy="Grid",
    )
    tuner.fit(inputs=inputs)
    return str(tuner.latest_tuning_job.name), str(tuner.best_training_job())


def read_back(session: sagemaker.Session, tuning_job: str, best: str) -> None:
    """Use jobs that have ended, in what would be another notebook: attach, analytics, deploy, transform."""
    # The SDK's own class for linear-learner refuses the values of a categorical range, which are texts.
    plain = "sagemaker.estimator.Estimator"
    tuner = HyperparameterTuner.attach(tuning_job, sagemaker_session=session, estimator_cls=plain)
    assert tuner.best_training_job() == best
    assert tuner.analytics().dataframe()["FinalObjectiveValue"].min() > 0
    table = HyperparameterTuningJobAnalytics(tuning_job, sagemaker_session=session).dataframe()
    assert (len(table), set(table["TrainingJobStatus"])) == (12, {"Completed"})
    errors = TrainingJobAnalytics(best, ["validation:mse"], sagemaker_session=session).dataframe()
    assert set(errors["metric_name"]) == {"validation:mse"}
    estimator = Estimator.attach(best, sagemaker_session=session)
    assert estimator.hyperparameters()["predictor_type"] == "regressor"
    predictor = tuner.best_estimator().deploy(
        1, "ml.m5.large", serializer=CSVSerializer(), deserializer=JSONDeserializer()
    )
    scores = [row["score"] for row in predictor.predict(RECORDS)["predictions"]]
    predictor.delete_endpoint()
    rows = session.upload_string_as_file_body(
        "\n".join(",".join(map(str, row)) for row in RECORDS), session.default_bucket(), "rows.csv"
    )
    transformer = estimator.transformer(1, "ml.m5.large", assemble_with="Line", accept="application/jsonlines")
    transformer.transform(rows, content_type="text/csv", split_type="Line")
    bucket, _, prefix = transformer.output_path.removeprefix("s3://").partition("/")
    output = session.read_s3_file(bucket, f"{prefix}/rows.csv.out")
    assert [json.loads(line)["score"] for line in output.splitlines()] == scores


def main() -> None:
    """Run the sections, one after the other."""
    session = sagemaker.Session()
    assert session.default_bucket() == "sagemaker-us-east-1-123456789012"
    client = boto3.client("sagemaker")
    upload_fold()
    tuning_job, best = train_and_tune(session)
    read_back(session, tuning_job, best)

    description = client.describe_training_job(TrainingJobName=best)
    errors = {metric["MetricName"]: metric["Value"] for metric in description["FinalMetricDataList"]}
    tuned = {name: description["HyperParameters"][name] for name in ("learning_rate", "l1")}
    print(best, errors["validation:mse"], tuned)
    assert 2e7 < errors["validation:mse"] < 6e7

    # Section 3 and 4: register and deploy
    name = f"endpoint-numerico-{int(time.time())}"
    model = Model(
        model_data=description["ModelArtifacts"]["S3ModelArtifacts"],
        role=ROLE,
        image_uri=sagemaker.image_uris.retrieve("linear-learner", session.boto_region_name),
        sagemaker_session=session,
    )
    package = model.register(
        model_package_group_name="modelo-numerico",
        content_types=["text/csv"],
        response_types=["application/json"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
    )
    print(package.model_package_arn)
    model.deploy(initial_instance_count=1, instance_type="ml.m5.large", endpoint_name=name)

    # Section 5: the SDK's predictor
    predictor = Predictor(
        endpoint_name=name, sagemaker_session=session, serializer=CSVSerializer(), deserializer=JSONDeserializer()
    )
    predicted = predictor.predict(RECORDS)
    print(predicted)

    # Section 6: remote use
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body=CSVSerializer().serialize(RECORDS)
    )
    assert json.loads(answer["Body"].read()) == predicted
    assert len(predicted["predictions"]) == len(RECORDS)

    predictor.delete_endpoint()
    print("every section ran")


if __name__ == "__main__":
    main()
