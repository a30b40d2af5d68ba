"""Use S3 as its clients do: each writes, lists, reads, copies and deletes, and uploads in parts.

    python s3_clients.py BUCKET [CLIENT ...]

The environment has the endpoint and the credentials. Without a client's name, all clients that are installed are used.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARTS = os.urandom(6 * 1024 * 1024) * 2
"""Content that clients upload in parts: 12 MiB."""


def use_pyarrow(bucket: str) -> None:
    """Use the C++ SDK for AWS through pyarrow."""
    import pyarrow as pa
    from pyarrow import dataset, fs, parquet

    endpoint = os.environ["AWS_ENDPOINT_URL"].partition("://")[2]
    may = {"allow_bucket_creation": True, "allow_bucket_deletion": True}
    s3: Any = fs.S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1", **may)
    s3.create_dir(f"{bucket}-made")
    assert s3.get_file_info(f"{bucket}-made").type is fs.FileType.Directory
    s3.delete_dir(f"{bucket}-made")
    with s3.open_output_stream(f"{bucket}/arrow/large", metadata={"Content-Type": "text/x", "made-by": "me"}) as file:
        file.write(PARTS)
    with s3.open_input_file(f"{bucket}/arrow/large") as file:
        assert file.size() == len(PARTS)
        file.seek(len(PARTS) - 10)
        assert file.read() == PARTS[-10:]
        assert file.metadata()["Content-Type"] == b"text/x"
    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    parquet.write_table(table, f"{bucket}/arrow/table.parquet", filesystem=s3)
    assert parquet.read_table(f"{bucket}/arrow/table.parquet", filesystem=s3, columns=["b"]).num_rows == 3
    dataset.write_dataset(table, f"{bucket}/arrow/parts", format="parquet", partitioning=["a"], filesystem=s3)
    assert dataset.dataset(f"{bucket}/arrow/parts", filesystem=s3, partitioning=["a"]).to_table().num_rows == 3
    s3.copy_file(f"{bucket}/arrow/large", f"{bucket}/arrow/copy")
    s3.move(f"{bucket}/arrow/copy", f"{bucket}/arrow/moved")
    names = {info.base_name for info in s3.get_file_info(fs.FileSelector(f"{bucket}/arrow"))}
    assert names == {"large", "moved", "parts", "table.parquet"}
    s3.delete_file(f"{bucket}/arrow/moved")
    s3.delete_dir(f"{bucket}/arrow")
    found = s3.get_file_info([f"{bucket}/arrow/large", f"{bucket}/arrow/parts"])
    assert {info.type for info in found} == {fs.FileType.NotFound}


def use_s3fs(bucket: str) -> None:
    """Use s3fs: before 0.5 it is built on botocore, and since then on aiobotocore."""
    import s3fs

    s3: Any = s3fs.S3FileSystem(
        client_kwargs={"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}, use_listings_cache=False
    )
    with s3.open(f"{bucket}/fs/large", "wb", block_size=5 * 1024 * 1024) as file:
        file.write(PARTS)
    with s3.open(f"{bucket}/fs/small", "wb") as file:
        file.write(b"1,2\n")
    with s3.open(f"{bucket}/fs/small", "ab") as file:
        file.write(b"3,4\n")
    assert s3.cat(f"{bucket}/fs/small") == b"1,2\n3,4\n"
    with s3.open(f"{bucket}/fs/large", "rb") as file:
        file.seek(-10, 2)
        assert file.read() == PARTS[-10:]
    assert s3.info(f"{bucket}/fs/large")["Size" if "Size" in s3.info(f"{bucket}/fs/large") else "size"] == len(PARTS)
    s3.copy(f"{bucket}/fs/large", f"{bucket}/fs/deep/copy")
    assert sorted(name.rpartition("/")[2] for name in s3.ls(f"{bucket}/fs", refresh=True)) == ["deep", "large", "small"]
    assert sorted(s3.glob(f"{bucket}/fs/**/c*")) == [f"{bucket}/fs/deep/copy"]
    assert len(s3.find(f"{bucket}/fs")) == 3
    s3.mv(f"{bucket}/fs/small", f"{bucket}/fs/moved")
    assert not s3.exists(f"{bucket}/fs/small")
    assert not s3.exists(f"{bucket}/nothing/at/all")
    assert s3.isdir(f"{bucket}/fs/deep")
    s3.rm(f"{bucket}/fs", recursive=True)
    assert not s3.exists(f"{bucket}/fs")


def use_pandas(bucket: str) -> None:
    """Use pandas with ``storage_options``, which go to fsspec and s3fs."""
    import pandas as pd

    options: Any = {"client_kwargs": {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}}
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "é"]})
    frame.to_csv(f"s3://{bucket}/pandas/rows.csv.gz", index=False, storage_options=options)
    assert pd.read_csv(f"s3://{bucket}/pandas/rows.csv.gz", storage_options=options).equals(frame)
    frame.to_parquet(f"s3://{bucket}/pandas/rows.parquet", storage_options=options)
    assert pd.read_parquet(f"s3://{bucket}/pandas/rows.parquet", storage_options=options)["a"].tolist() == [1, 2]
    frame.to_json(f"s3://{bucket}/pandas/rows.json", storage_options=options)
    assert len(pd.read_json(f"s3://{bucket}/pandas/rows.json", storage_options=options)) == 2


def use_smart_open(bucket: str) -> None:
    """Use smart_open, which reads and writes streams with boto3."""
    import boto3
    from smart_open import open as smart_open
    from smart_open import s3

    client: Any = boto3.client("s3")
    options = {"client": client, "min_part_size": 5 * 1024 * 1024}
    with smart_open(f"s3://{bucket}/smart/large", "wb", transport_params=options) as file:
        file.write(PARTS)
    with smart_open(f"s3://{bucket}/smart/large", "rb", transport_params={"client": client}) as file:
        file.seek(len(PARTS) - 10)
        assert file.read() == PARTS[-10:]
    with smart_open(f"s3://{bucket}/smart/rows.csv.gz", "w", transport_params={"client": client}) as file:
        file.write("1,é\n")
    with smart_open(f"s3://{bucket}/smart/rows.csv.gz", transport_params={"client": client}) as file:
        assert file.read() == "1,é\n"
    found = dict(s3.iter_bucket(bucket, prefix="smart/", workers=2))
    assert {key: len(content) for key, content in found.items()}["smart/large"] == len(PARTS)
    client.copy({"Bucket": bucket, "Key": "smart/large"}, bucket, "smart/copy")
    for name in ("large", "copy", "rows.csv.gz"):
        client.delete_object(Bucket=bucket, Key=f"smart/{name}")
    assert "Contents" not in client.list_objects_v2(Bucket=bucket, Prefix="smart/")


def use_awswrangler(bucket: str) -> None:
    """Use awswrangler, the AWS SDK for pandas."""
    import awswrangler as wr
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "y"]})
    root = f"s3://{bucket}/wrangler"
    wr.s3.to_csv(frame, f"{root}/rows.csv", index=False)
    assert wr.s3.read_csv(f"{root}/rows.csv").equals(frame)
    written = wr.s3.to_parquet(frame, f"{root}/table/", dataset=True, partition_cols=["b"], mode="overwrite")
    assert len(written["paths"]) == 2
    assert wr.s3.read_parquet(f"{root}/table/", dataset=True)["a"].sum() == 6
    large = Path(tempfile.mkdtemp()) / "large"
    large.write_bytes(PARTS)
    wr.s3.upload(str(large), f"{root}/large")
    assert wr.s3.size_objects(f"{root}/large")[f"{root}/large"] == len(PARTS)
    assert wr.s3.does_object_exist(f"{root}/large")
    copied = wr.s3.copy_objects([f"{root}/large"], source_path=root, target_path=f"{root}/copies")
    assert copied == [f"{root}/copies/large"]
    large.unlink()
    wr.s3.download(f"{root}/copies/large", str(large))
    assert large.read_bytes() == PARTS
    shutil.rmtree(large.parent)
    assert wr.s3.list_directories(f"{root}/") == [f"{root}/copies/", f"{root}/table/"]
    assert len(wr.s3.describe_objects(f"{root}/")) == 5
    wr.s3.delete_objects(f"{root}/")
    assert wr.s3.list_objects(f"{root}/") == []


CLIENTS: dict[str, Callable[[str], None]] = {
    "pyarrow": use_pyarrow,
    "s3fs": use_s3fs,
    "pandas": use_pandas,
    "smart_open": use_smart_open,
    "awswrangler": use_awswrangler,
}
"""By the name of the module that is imported."""


def main() -> int:
    """Use the clients; return the exit status."""
    bucket, *wanted = sys.argv[1:]
    for name in wanted or CLIENTS:
        if wanted or importlib.util.find_spec(name) is not None:
            CLIENTS[name](bucket)
            print(f"{name} {getattr(sys.modules[name], '__version__', '')}: fine", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
