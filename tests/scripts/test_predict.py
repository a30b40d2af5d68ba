"""``make predict`` on a local service: files, folders and S3, columns that the model package records, bad rows."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import yaml

from local.algorithms.linear_learner import artifact
from local.app.server import LocalService
from local.core.settings import ACCESS_KEY, Settings
from pipeline.config.loading import load_config
from pipeline.operate.prediction import predict
from tests.commands import ROOT, in_a_process, run_command

BUCKET = "models"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package"
NAME = "insurance-cross-validation"
HEADER = "age,sex,bmi,children,smoker,region"
ROWS = ["19,female,27.9,0,yes,southwest", "18,male,33.75,1,no,southeast", "28,male,33,3,no,southeast"]
ENCODED = ["19,27.9,0,1,0,0,0,0,1,0,1", "18,33.75,1,0,1,0,0,1,0,1,0", "28,33,3,0,1,0,0,1,0,1,0"]
SCORES = [19 + 1000, 18, 28]
"""The model's scores: the age, and a thousand for a smoker."""

WEIGHTS = [1.0] + [0.0] * 9 + [1000.0]
COLUMNS = {
    "columns": {
        "label": "charges",
        "features": [
            *("age", "bmi", "children", "sex_female", "sex_male"),
            *(
                "region_northeast",
                "region_northwest",
                "region_southeast",
                "region_southwest",
                "smoker_no",
                "smoker_yes",
            ),
        ],
    },
    "feature_dim": 11,
    "encoding": {
        "sex": ["female", "male"],
        "region": ["northeast", "northwest", "southeast", "southwest"],
        "smoker": ["no", "yes"],
    },
    "groups": None,
    "preparation": {"numeric": ["age", "bmi", "children"]},
}


@dataclass
class Account:
    """A local service with endpoints, and the command."""

    settings: Settings
    folder: Path

    @property
    def session(self) -> boto3.Session:
        return boto3.Session(ACCESS_KEY, self.settings.secret_key, region_name="us-east-1")

    def client(self, name: Any) -> Any:
        return self.session.client(name, endpoint_url=self.settings.endpoint_url)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return inherited | self.settings.client_environment() | {"COLUMNS": "200"}

    def predict(self, **options: str) -> Any:
        return run_command("predict", self.environment | options)

    def serve(self, name: str, weights: list[float], record: dict[str, Any] | None, **container: Any) -> None:
        """Put a model into service: from a package that records its columns, from one that does not, or without."""
        file = self.folder / "model_algo-1"
        artifact.write(file, np.array(weights, dtype=np.float32), np.float32(0))
        self.serve_file(name, file, record, IMAGE, container)

    def serve_file(
        self, name: str, file: Path, record: dict[str, Any] | None, image: str, container: dict[str, Any] | None = None
    ) -> None:
        """Put a model into service whose artifact has one file."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(file, file.name)
        s3, sagemaker = self.client("s3"), self.client("sagemaker")
        s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=packed.getvalue())
        metadata = {"endpoint_name": name}
        if record is not None:
            s3.put_object(Bucket=BUCKET, Key=f"{name}/folds.json", Body=json.dumps(record))
            metadata["folds_json"] = f"s3://{BUCKET}/{name}/folds.json"
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
        package = sagemaker.create_model_package(
            ModelPackageGroupName=name,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties=metadata,
        )["ModelPackageArn"]
        containers = [container or {"ModelPackageName": package}]
        sagemaker.create_model(ModelName=name, Containers=containers, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "All", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    with LocalService(Settings(folder / ".local", port=0)) as service:
        account = Account(service.settings, folder)
        account.client("s3").create_bucket(Bucket=BUCKET)
        account.serve(NAME, WEIGHTS, COLUMNS)
        account.serve("old", WEIGHTS, None)
        account.serve("narrow", [1.0, 2.0], None)
        commas = {**COLUMNS, "preparation": {"numeric": ["age", "bmi", "children"], "decimal": ","}}
        account.serve("commas", [1.0, 0.5] + [0.0] * 9, commas)
        yield account


@pytest.fixture
def rows(tmp_path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def scores(finished: Any) -> list[float]:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return [float(line) for line in finished.stdout.splitlines()]


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, *ROWS],
        ENCODED,
        [",".join(reversed(line.split(","))) for line in [HEADER, *ROWS]],
        [HEADER, "", ROWS[0], "", *ROWS[1:], ""],
        ["\ufeff" + HEADER, *ROWS],
    ],
)
def test_each_row_has_a_score_on_its_line(account, tmp_path, lines) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(lines), "utf-8")
    finished = account.predict(INPUT=str(tmp_path / "rows.csv"))
    assert scores(finished) == SCORES
    assert finished.stderr == ""


def test_the_output_has_the_inputs_columns_and_the_predictions(account, tmp_path, rows) -> None:
    output = tmp_path / "scored.csv"
    finished = account.predict(INPUT=str(rows), OUTPUT=str(output))
    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr == f"{output} has the predictions of 3 rows.\n"
    expected = [f"{HEADER},prediction", *(f"{row},{score:.1f}" for row, score in zip(ROWS, SCORES, strict=True))]
    assert output.read_text().splitlines() == expected
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.csv", "scored.csv"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("bad", [[], ["x;male;1;0;no;southeast"]])
def test_the_output_has_the_inputs_decimal_separator_and_byte_order_mark(account, tmp_path, mark, bad) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    lines = [HEADER.replace(",", ";"), "19;female;27,5;0;yes;southwest", *bad]
    path.write_bytes(mark + "\n".join(lines).encode())
    finished = account.predict(INPUT=str(path), OUTPUT=str(output), ENDPOINT="commas")
    assert finished.returncode == len(bad), finished.stderr
    written = output.read_bytes()
    assert written.startswith(mark + b"age;")
    assert written.splitlines()[1] == f"{lines[1]};32,75{';' * len(bad)}".encode()
    # Scripts read the standard output.
    assert account.predict(INPUT=str(path), ENDPOINT="commas").stdout == "32.75\n" + "\n" * len(bad)


def test_the_output_of_encoded_rows_has_points_as_these(account, tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("19,27.5,0,1,0,0,0,0,1,0,1\n")
    output = tmp_path / "scored.csv"
    finished = account.predict(INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(output), ENDPOINT="commas")
    assert finished.returncode == 0, finished.stderr
    assert output.read_text() == "prediction\n32.75\n"
    assert finished.stderr.splitlines()[-1] == f"{output} has the predictions of 1 row."


def test_the_output_of_encoded_rows_is_the_predictions_alone(account, tmp_path) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(ENCODED))
    finished = account.predict(INPUT=str(tmp_path / "rows.csv"), OUTPUT=str(tmp_path / "scored.csv"))
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "scored.csv").read_text() == "prediction\n1019.0\n18.0\n28.0\n"


def test_bad_rows_are_named_and_the_others_scored(account, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    bad = ["19,x,27.9,0,yes,southwest", "19,male", *["old,male,27.9,0,yes,southwest"] * 10]
    path.write_text("\n".join([HEADER, ROWS[0], *bad, ROWS[1]]) + "\n")
    finished = account.predict(INPUT=str(path), OUTPUT=str(output))
    assert finished.returncode == 1
    told = finished.stderr.splitlines()
    assert told[:3] == [
        f"{path}:3: sex is 'x': one of female, male is expected",
        f"{path}:4: has 2 fields, but 6 are expected",
        f"{path}:5: age is 'old': a finite number is expected",
    ]
    assert told[5:] == ["12 of 14 rows could not be scored.", f"{output} has the predictions of 2 rows."]
    lines = output.read_text().splitlines()
    assert lines[:4] == [
        f"{HEADER},prediction,error",
        f"{ROWS[0]},1019.0,",
        "19,x,27.9,0,yes,southwest,,\"sex is 'x': one of female, male is expected\"",
        '19,male,,,,,,"has 2 fields, but 6 are expected"',
    ]
    assert lines[-1] == f"{ROWS[1]},18.0,"
    assert len(lines) == 15

    printed = account.predict(INPUT=str(path))
    assert printed.returncode == 1
    assert printed.stdout == "1019.0\n" + "\n" * 12 + "18.0\n"


def test_a_folder_is_scored_in_the_order_of_its_files(account, tmp_path) -> None:
    folder = tmp_path / "rows"
    (folder / "b").mkdir(parents=True)
    (folder / "a.csv").write_text("\n".join([HEADER, ROWS[0]]))
    with gzip.open(folder / "b" / "part-0.csv.gz", "wt") as file:
        file.write("\n".join(",".join(reversed(line.split(","))) for line in [HEADER, ROWS[1]]))
    (folder / "c.csv").write_text("\n".join([HEADER, ROWS[2]]))
    (folder / "empty.csv").write_text("")
    (folder / "notes.txt").write_text("no rows")
    assert scores(account.predict(INPUT=str(folder))) == SCORES
    finished = account.predict(INPUT=str(folder), OUTPUT=str(tmp_path / "scored.csv"))
    assert finished.returncode == 0, finished.stderr
    written = (tmp_path / "scored.csv").read_text().splitlines()
    assert written == [f"{HEADER},prediction", f"{ROWS[0]},1019.0", f"{ROWS[1]},18.0", f"{ROWS[2]},28.0"]


def test_objects_and_prefixes_of_s3_are_scored(account) -> None:
    s3 = account.client("s3")
    for number, row in enumerate(ROWS):
        s3.put_object(Bucket=BUCKET, Key=f"rows/part-{number}.csv", Body=f"{HEADER}\n{row}\n")
    s3.put_object(Bucket=BUCKET, Key="rows/_SUCCESS", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="rows-of-others.csv", Body=b"x,y\n")
    assert scores(account.predict(INPUT=f"s3://{BUCKET}/rows")) == SCORES
    assert scores(account.predict(INPUT=f"s3://{BUCKET}/rows/part-1")) == SCORES[1:2]
    assert scores(account.predict(INPUT=f"s3://{BUCKET}/rows/part-2.csv")) == SCORES[2:]
    missing = account.predict(INPUT=f"s3://{BUCKET}/nowhere/")
    assert missing.returncode == 1
    assert missing.stderr == f"s3://{BUCKET}/nowhere/: there is no such object or prefix\n"


def test_a_large_object_is_read_in_blocks(account) -> None:
    count = 40_000
    body = "\n".join([HEADER, *(f"{number},male,33.75,1,no,southeast" for number in range(count))])
    account.client("s3").put_object(Bucket=BUCKET, Key="large.csv", Body=body)
    assert scores(account.predict(INPUT=f"s3://{BUCKET}/large.csv")) == list(range(count))


def test_another_delimiter_is_said(account, tmp_path, rows) -> None:
    rows.write_text(rows.read_text().replace(",", ";"))
    finished = account.predict(INPUT=str(rows), OUTPUT=str(tmp_path / "scored.csv"))
    assert finished.returncode == 0, finished.stderr
    assert f"{rows}: fields are separated by ';', although dataset.delimiter is ','." in finished.stderr
    assert (tmp_path / "scored.csv").read_text().startswith("age;sex;bmi;children;smoker;region;prediction\n19;female")


def changed_config(folder: Path, **dataset: Any) -> str:
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["dataset"].update(dataset)
    (folder / "other.yaml").write_text(yaml.safe_dump(document))
    return str(folder / "other.yaml")


def test_rows_are_encoded_as_the_model_package_records(account, tmp_path, rows) -> None:
    categorical = {"smoker": ["yes", "no"], "sex": ["male", "female"], "region": ["southeast", "southwest"]}
    other = changed_config(tmp_path, numeric=["bmi", "age", "height"], categorical=categorical)
    finished = account.predict(INPUT=str(rows), CONFIG=other)
    assert scores(finished) == SCORES
    assert finished.stderr == (
        f"The configuration's features differ from those of the model package {PACKAGE}/{NAME}/1: "
        "the configuration has height, the model package has children, region_northeast, region_northwest. "
        "The model package's are used.\n"
    )


def test_a_missing_column_is_named_with_the_file_and_the_package(account, tmp_path, rows) -> None:
    rows.write_text(rows.read_text().replace("smoker", "smokes"))
    finished = account.predict(INPUT=str(rows), OUTPUT=str(tmp_path / "scored.csv"))
    assert finished.returncode == 1
    assert finished.stderr == (
        f"{rows}: the header lacks smoker, which the model package {PACKAGE}/{NAME}/1 needs; "
        "it names age, sex, bmi, children, smokes, region\n"
    )
    assert not (tmp_path / "scored.csv").exists()


def test_a_package_without_columns_is_asked_with_the_configuration(account, tmp_path, rows) -> None:
    finished = account.predict(INPUT=str(rows), ENDPOINT="old")
    assert scores(finished) == SCORES
    assert finished.stderr == (
        f"The model package {PACKAGE}/old/1 does not record its columns: the configuration's are used.\n"
    )
    refused = account.predict(INPUT=str(rows), ENDPOINT="narrow")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"The model package {PACKAGE}/narrow/1 does not record its columns, and the endpoint refuses rows of the "
        "configuration's 11 features: age, bmi"
    )


def test_a_model_that_was_made_without_a_package_is_asked_with_the_configuration(account, rows) -> None:
    account.serve("bare", WEIGHTS, None, Image=IMAGE, ModelDataUrl=f"s3://{BUCKET}/{NAME}/model.tar.gz")
    finished = account.predict(INPUT=str(rows), ENDPOINT="bare")
    assert scores(finished) == SCORES
    assert "which was made without a model package, does not record its columns" in finished.stderr


def test_a_record_that_is_gone_or_wrong_is_an_error(account, rows) -> None:
    account.serve("forgetful", WEIGHTS, {"columns": {}})
    wrong = account.predict(INPUT=str(rows), ENDPOINT="forgetful")
    assert "forgetful/folds.json: is not the record of a model's columns" in wrong.stderr
    account.client("s3").delete_object(Bucket=BUCKET, Key="forgetful/folds.json")
    gone = account.predict(INPUT=str(rows), ENDPOINT="forgetful")
    assert gone.returncode == 1
    assert "forgetful/folds.json, in which the model package" in gone.stderr


@pytest.mark.parametrize("kind", ["model_package", "model", "endpoint_config"])
def test_an_endpoint_whose_origin_was_deleted_is_told_in_a_sentence(account, rows, kind) -> None:
    name = f"orphan-{kind.replace('_', '-')}"
    account.serve(name, WEIGHTS, COLUMNS)
    deleted = f"{PACKAGE}/{name}/1" if kind == "model_package" else name
    member = {"model_package": "ModelPackageName", "model": "ModelName", "endpoint_config": "EndpointConfigName"}[kind]
    getattr(account.client("sagemaker"), f"delete_{kind}")(**{member: deleted})
    finished = account.predict(INPUT=str(rows), ENDPOINT=name)
    assert (finished.returncode, finished.stdout) == (1, "")
    what = "endpoint configuration" if kind == "endpoint_config" else kind.replace("_", " ")
    assert f"The endpoint {name} serves, but its {what} {deleted} was deleted: " in finished.stderr


UNSCALED = {
    "columns": {"label": "charges", "features": ["x"]},
    "feature_dim": 1,
    "encoding": {},
    "preparation": {"numeric": ["x"]},
}


def test_rows_that_the_model_refuses_are_found_among_the_others(account, tmp_path) -> None:
    account.serve("steep", [3e38], UNSCALED)
    lines = [str(number / 10_000) for number in range(6000)]
    lines[3333] = lines[5999] = "20"
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["x", *lines]))
    finished = account.predict(INPUT=str(path), ENDPOINT="steep")
    assert finished.returncode == 1
    assert f"{path}:3335: the model refuses the row: " in finished.stderr
    assert "a prediction does not fit float32" in finished.stderr
    assert finished.stderr.endswith("2 of 6,000 rows could not be scored.\n")
    printed = finished.stdout.splitlines()
    assert [index for index, text in enumerate(printed) if not text] == [3333, 5999]
    assert float(printed[5000]) == pytest.approx(1.5e38)
    path.write_text("\n".join(["x", *["20"] * 1000]))
    hopeless = account.predict(INPUT=str(path), ENDPOINT="steep", OUTPUT=str(tmp_path / "scored.csv"))
    assert hopeless.returncode == 1
    assert "\nThe endpoint steep refuses many rows: " in hopeless.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "INPUT is missing: make predict INPUT=rows.csv"),
        ({"INPUT": "nowhere.csv"}, "nowhere.csv: cannot be read: No such file or directory"),
        ({"INPUT": "docs"}, "docs: has no files that end with .csv or .csv.gz"),
        ({"INPUT": "data/insurance.csv", "OUTPUT": "data/insurance.csv"}, "is a file of INPUT: give it another name"),
        ({"INPUT": "data/insurance.csv", "OUTPUT": "s3://models/x"}, "a file on this machine is expected"),
        ({"INPUT": "data/insurance.csv", "OUTPUT": "nowhere/x"}, "nowhere/x: cannot be written: No such file"),
        (
            {"INPUT": "data/insurance.csv", "OUTPUT": "docs/"},
            "is a folder: name a file, for example OUTPUT=docs/scored",
        ),
        ({"INPUT": "data/insurance.csv", "OUTPUT": "."}, "OUTPUT=. is a folder"),
        ({"INPUT": "data/insurance.csv", "OUTPUT": "/dev/null"}, "OUTPUT=/dev/null is a device or a pipe"),
        ({"INPUT": "data/insurance.csv", "ENDPOINT": "absent"}, "There is no endpoint absent"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(account, options, sentence) -> None:
    finished = account.predict(**options)
    assert finished.returncode == (1 if options else 2)
    assert sentence in finished.stderr
    assert finished.stdout == ""
    assert len(finished.stderr.splitlines()) == 1


def test_a_file_without_rows_has_no_scores(account, tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n")
    assert account.predict(INPUT=str(path)).stderr == f"{path}: has no rows\n"
    path.write_text(f"{HEADER}\n")
    assert scores(account.predict(INPUT=str(path))) == []


def test_files_of_different_columns_have_scores_but_no_common_output(account, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("\n".join([HEADER, ROWS[0]]))
    (tmp_path / "b.csv").write_text("\n".join([f"id,{HEADER}", f"7,{ROWS[1]}"]))
    assert scores(account.predict(INPUT=str(tmp_path))) == SCORES[:2]
    finished = account.predict(INPUT=str(tmp_path), OUTPUT=str(tmp_path / "scored.csv"))
    assert finished.returncode == 1
    assert "b.csv: its columns differ from those of" in finished.stderr


def test_an_output_is_not_scored_again_by_mistake(account, tmp_path, rows) -> None:
    output = tmp_path / "scored.csv"
    assert account.predict(INPUT=str(rows), OUTPUT=str(output)).returncode == 0
    finished = account.predict(INPUT=str(tmp_path), OUTPUT=str(output))
    assert finished.returncode == 1
    assert "its columns differ" in finished.stderr
    alone = account.predict(INPUT=str(output), OUTPUT=str(output))
    assert "is a file of INPUT: give it another name" in alone.stderr


def test_bytes_of_another_encoding_pass_through(account, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_bytes(f"name,{HEADER}\nM\xfcller,{ROWS[0]}\n".encode("latin-1"))
    finished = account.predict(INPUT=str(path), OUTPUT=str(output))
    assert finished.returncode == 0, finished.stderr
    assert output.read_bytes() == f"name,{HEADER},prediction\nM\xfcller,{ROWS[0]},1019.0\n".encode("latin-1")


def test_a_value_in_another_encoding_is_named_in_an_output_of_the_files_encoding(account, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_bytes(f"{HEADER}\n{ROWS[0]}\n{ROWS[1].replace('male', 'niña')}\n".encode("cp1252"))
    ascii_only = changed_config(tmp_path, encoding="ASCII")
    finished = account.predict(INPUT=str(path), OUTPUT=str(output), CONFIG=ascii_only)
    assert finished.returncode == 1
    assert f"{path}:3: sex is 'niña' if it is read as cp1252, and not text in dataset.encoding" in finished.stderr
    assert rb"sex is 'ni\xf1a' if it is read as cp1252" in output.read_bytes()


def test_line_breaks_in_quotes_belong_to_a_row(account, tmp_path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "scored.csv"
    path.write_text(f'note,{HEADER}\n"two\nlines",{ROWS[0]}\nbad,19,male\n,{ROWS[1]}\n')
    finished = account.predict(INPUT=str(path), OUTPUT=str(output))
    assert finished.stderr.startswith(f"{path}:4: has 3 fields")
    assert output.read_text() == (
        f'note,{HEADER},prediction,error\n"two\nlines",{ROWS[0]},1019.0,\n'
        f'bad,19,male,,,,,,"has 3 fields, but 7 are expected"\n,{ROWS[1]},18.0,\n'
    )


def test_the_command_runs_as_a_process(account, tmp_path, rows) -> None:
    finished = in_a_process("predict", account.environment | {"INPUT": str(rows)})
    assert scores(finished) == SCORES


def test_the_function_gives_rows_with_their_places(account, rows, monkeypatch) -> None:
    for name, value in account.settings.client_environment().items():
        monkeypatch.setenv(name, value)
    rows.write_text(rows.read_text() + "x,male,1,1,no,southeast\n")
    config = load_config(ROOT / "config.yaml")
    found = list(predict(account.session, config, str(rows)))
    assert [row.prediction for row in found] == [*SCORES, None]
    assert [row.line for row in found] == [2, 3, 4, 5]
    assert found[0].fields == ROWS[0].split(",")
    assert (found[3].place, found[3].error) == (f"{rows}:5", "age is 'x': a finite number is expected")
    assert [row.prediction for row in predict(account.session, config, str(rows), limit=2)] == SCORES[:2]
