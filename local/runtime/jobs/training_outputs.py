"""What a training job leaves in S3: its model, its other output, and its checkpoints.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html.
"""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from local.runtime.errors import JobFailedError
from local.runtime.jobs import inputs
from local.runtime.jobs.uploads import upload
from local.storage.objects import Objects, S3Uri

if TYPE_CHECKING:
    from local.storage.store import Document

CHECKPOINTS = "/opt/ml/checkpoints"
TENSORBOARD = "/opt/ml/output/tensorboard"


def model_uri(record: Document) -> str:
    """Return the URI of a job's ``model.tar.gz``, or the prefix of its files if they are not compressed.

    Source for the prefix: what jobs with the SDK's ``disable_output_compression`` answer as S3ModelArtifacts.
    """
    return f"{_prefix(record)}/{'model.tar.gz' if _compresses(record) else 'model/'}"


def upload_model(record: Document, root: Path, objects: Objects) -> None:
    """Upload ``/opt/ml/model`` as ``model.tar.gz``, or its files as they are.

    Raises:
        JobFailedError: The bucket does not exist, or a file cannot become an object.
    """
    if _compresses(record):
        _upload_packed(root / "model", model_uri(record), objects)
    else:
        upload(objects, root / "model", model_uri(record))


def upload_data(record: Document, root: Path, objects: Objects) -> None:
    """Upload ``/opt/ml/output/data`` as ``output.tar.gz``, unless it is empty. CompressionType is the model's only.

    Raises:
        JobFailedError: The bucket does not exist.
    """
    if has_files(root / "output" / "data"):
        _upload_packed(root / "output" / "data", f"{_prefix(record)}/output.tar.gz", objects)


def has_files(folder: Path) -> bool:
    """Return whether a folder exists and is not empty."""
    return folder.is_dir() and any(folder.iterdir())


def continuous(record: Document) -> dict[str, str]:
    """Return the folders in the container whose files are uploaded while the job runs, by S3 prefix."""
    found = {}
    if config := record.get("CheckpointConfig"):
        found[config["S3Uri"]] = config.get("LocalPath") or CHECKPOINTS
    if config := record.get("TensorBoardOutputConfig"):
        # The SDK reads them there: Estimator.latest_job_tensorboard_artifacts_path.
        prefix = f"{config['S3OutputPath'].rstrip('/')}/{record['TrainingJobName']}/tensorboard-output"
        found[prefix] = config.get("LocalPath") or TENSORBOARD
    return found


def check_checkpoints(record: Document, objects: Objects) -> None:
    """Check that there is a bucket for the checkpoints.

    Raises:
        JobFailedError: The bucket does not exist.
    """
    uri = record.get("CheckpointConfig", {}).get("S3Uri")
    if uri is not None and not objects.bucket_exists(uri):
        raise JobFailedError(f"ClientError: CheckpointConfig: the bucket of {uri} does not exist")


def download_checkpoints(objects: Objects, uri: str, folder: Path) -> None:
    """Fill the folder of checkpoints with those of an earlier job.

    Raises:
        InputError: An object cannot be a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"{uri.rstrip('/')}/"
    if objects.keys(prefix):
        inputs.download(objects, inputs.find(objects, "S3Prefix", prefix), folder, link=False)


def upload_files(objects: Objects, folder: Path, uri: str) -> None:
    """Upload the files of a folder as they are.

    Raises:
        JobFailedError: The bucket does not exist, or a file cannot become an object.
    """
    if has_files(folder):
        upload(objects, folder, uri)


def pack(folder: Path, target: Path) -> None:
    """Write the files of a folder to a ``.tar.gz`` archive. The same files give the same bytes.

    Args:
        folder: The folder.
        target: The archive to write.
    """

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
        return member

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for member in sorted(folder.iterdir()):
            archive.add(member, member.name, filter=anonymous)


def _compresses(record: Document) -> bool:
    compression: str = record["OutputDataConfig"].get("CompressionType", "GZIP")
    return compression == "GZIP"


def _prefix(record: Document) -> str:
    return f"{record['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record['TrainingJobName']}/output"


def _upload_packed(folder: Path, uri: str, objects: Objects) -> None:
    if not objects.bucket_exists(uri):
        bucket = S3Uri.parse(uri).bucket
        raise JobFailedError(f"ClientError: Artifact upload failed:the bucket {bucket} does not exist")
    packed = folder.parent / uri.rpartition("/")[2]
    pack(folder, packed)
    objects.put(uri, packed)
