"""Small requests and objects take little time and memory, whatever they hold."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.algorithms.recordio_writer import delimited, framed, message, tensor
from tests.within_limits import run_within_limits

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
Invoke = Callable[..., str]


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    def run(body: bytes, content_type: str, *, features: int, mebibytes: int) -> str:
        """What a model of that many features answers: the status, and the reason or the number of scores."""
        (tmp_path / "body").write_bytes(body)
        code = f"""\
            from pathlib import Path
            import numpy as np
            from local.algorithms.linear_learner.artifact import Parameters
            from local.algorithms.errors import InferenceError
            from local.algorithms.linear_learner.inference import Model
            model = Model(Parameters(np.ones({features}), 0.0))
            model.invoke(",".join(["1"] * {features}).encode(), "text/csv", "")
            body = Path({str(tmp_path / "body")!r}).read_bytes()
            # limited
            try:
                answer, _ = model.invoke(body, {content_type!r}, "")
            except InferenceError as error:
                print(error.status, error.message[:300])
            else:
                print(200, answer.count(b"score"))
            """
        return run_within_limits(code, mebibytes=mebibytes)

    return run


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        (b"1" * 1_000_000 + b"x", "400"),
        (b"1" * 500_000 + b"." + b"1" * 500_000 + b"x", "400"),
        (b"." + b"1" * 1_000_000 + b"e", "400"),
        (b"1e" + b"1" * 1_000_000 + b"x", "400"),
        (b" " * 1_000_000 + b"x", "400"),
        (b"0." + b"1" * 1_000_000, "200"),
    ],
    ids=["digits", "fraction", "no exponent", "exponent", "spaces", "number"],
)
def test_a_long_number_in_csv_is_read_once(invoke, field, answer) -> None:
    assert invoke(field, CSV, features=1, mebibytes=100).startswith(answer)


def test_a_varint_without_an_end_is_refused(invoke) -> None:
    assert "400" in invoke(framed(bytes([255]) * 4_000_000), RECORDIO, features=1, mebibytes=100)


def test_a_varint_without_an_end_among_keys_is_refused(invoke) -> None:
    keys = delimited(1, bytes(4)) + delimited(2, bytes([255]) * 4_000_000)
    assert "more than 64 bits" in invoke(framed(message(delimited(2, keys))), RECORDIO, features=1, mebibytes=100)


@pytest.mark.parametrize("shape", [2**24, 2**63])
def test_a_sparse_records_shape_reserves_nothing(invoke, shape) -> None:
    body = framed(message(tensor([1], keys=[0], shape=[shape]))) * 8 + framed(message(tensor([1, 2])))
    assert invoke(body, RECORDIO, features=3, mebibytes=64).startswith("400")


def test_many_sparse_records_of_a_wide_model_take_what_they_send(invoke) -> None:
    body = framed(message(tensor([1], keys=[7], shape=[200_000]))) * 10_000
    assert invoke(body, RECORDIO, features=200_000, mebibytes=200) == "200 10000"


def test_many_sparse_instances_of_a_wide_model_take_what_they_send(invoke) -> None:
    instance = b'{"data":{"features":{"keys":[7],"shape":[200000],"values":[1]}}}'
    body = b'{"instances":[' + b",".join([instance] * 10_000) + b"]}"
    assert invoke(body, JSON, features=200_000, mebibytes=200) == "200 10000"


def test_a_sparse_label_reserves_nothing(invoke) -> None:
    body = framed(message(tensor([1]), tensor([1], keys=[0], shape=[2**24]))) * 8 + framed(message(tensor([1])))
    assert "only some records have a label" in invoke(body, RECORDIO, features=1, mebibytes=64)


def test_a_long_text_among_numbers_is_not_repeated_for_each(invoke) -> None:
    body = b'{"instances":[{"features":["' + b"x" * 10_000 + b'"' + b",1" * 199_999 + b"]}]}"
    assert "has a value that is not a finite number" in invoke(body, JSON, features=200_000, mebibytes=100)


@pytest.mark.parametrize("part", [b"[]", b"{}", b"[[]]"])
def test_a_body_of_empty_lists_is_not_made_into_objects(invoke, part) -> None:
    body = b'{"instances":[' + b",".join([part] * 1_200_000) + b"]}"
    assert "400" in invoke(body, JSON, features=1, mebibytes=60)


@pytest.mark.parametrize("content_type", [JSON, LINES])
def test_json_that_is_nested_deeply_is_refused(invoke, content_type) -> None:
    assert "400" in invoke(b"[" * 100_000, content_type, features=1, mebibytes=100)


def test_a_wide_first_row_is_refused_before_the_rest_is_read(invoke) -> None:
    body = b"x," * 2_000_000 + b"x"
    assert "does not match the feature dimension" in invoke(body, CSV, features=3, mebibytes=40)


@pytest.mark.slow
@pytest.mark.parametrize(
    "member",
    [
        "tar('model_algo-1', 4 * GIB)",
        "tar('filler', 4 * GIB)",
        "tar_of_many(100_000)",
        "tar_of_zip(zip_of({'mx-mod-0000.params': GIB // 2, 'mx-mod-symbol.json': 2}))",
        "tar_of_zip(zip_of({'mx-mod-0000.params': 2, 'mx-mod-symbol.json': GIB // 2}))",
    ],
)
def test_an_artifact_that_unpacks_to_gigabytes_is_refused(tmp_path, member) -> None:
    code = f"""\
    import gzip, io, sys, tarfile, zipfile
    from pathlib import Path
    import numpy, random, tempfile
    from local.algorithms.linear_learner import artifact
    GIB = 2**30
    class Zeros(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)
    def header(name, size):
        info = tarfile.TarInfo(name)
        info.size = size
        return info.tobuf()
    def tar(name, size):
        def write(stream):
            stream.write(header(name, size))
            # As much as makes the limit pass: the rest of the file is cut off.
            for _ in range(300):
                stream.write(bytes(1 << 20))
        return write
    def tar_of_many(count):
        def write(stream):
            stream.write(header("a", 0) * count)
        return write
    def zip_of(sizes):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, size in sizes.items():
                with archive.open(name, "w") as file:
                    for _ in range(max(1, size >> 20)):
                        file.write(bytes(min(size, 1 << 20)))
        return buffer.getvalue()
    def tar_of_zip(content):
        def write(stream):
            stream.write(header("model_algo-1", len(content)) + content + bytes(-len(content) % 512))
        return write
    path = Path({str(tmp_path)!r}) / "model.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        ({member})(stream)
    # limited
    try:
        artifact.read(path)
    except ValueError as error:
        print(error)
    """
    said = run_within_limits(code, mebibytes=600)
    assert "unpacks to more than" in said or "more than 1000 members" in said


def test_parameters_of_many_arrays_are_refused_before_they_are_made() -> None:
    array = struct.pack("<IiIiiif", 0xF993FAC9, 0, 0, 1, 0, 0, 1.0)
    code = f"""\
    from local.algorithms.linear_learner import mxnet_params
    import struct, numpy
    data = struct.pack("<QQQ", 0x112, 0, 3_000_000) + {array!r} * 3_000_000
    # limited
    try:
        mxnet_params.load(data)
    except ValueError as error:
        print(error)
    """
    assert "3000000 arrays" in run_within_limits(code, mebibytes=100)


@pytest.mark.parametrize("content", ["bytes([49]) * (1 << 20)", "bytes([10]) * (1 << 20)"])
def test_a_training_file_of_one_line_or_of_none_is_read_once(tmp_path, content) -> None:
    code = f"""\
    import gzip
    from pathlib import Path
    import numpy
    from local.algorithms.linear_learner.channels import Channel
    from local.algorithms.errors import ClientError
    folder = Path({str(tmp_path)!r})
    with gzip.open(folder / "rows.csv.gz", "wb", compresslevel=1) as stream:
        for _ in range(512):
            stream.write({content})
    # limited
    try:
        Channel("train", folder, "text/csv", True, False).read()
    except ClientError as error:
        print(error)
    """
    assert "is longer than 67108864 bytes" in run_within_limits(code, mebibytes=800)


def test_a_sparse_training_record_of_another_width_reserves_nothing(tmp_path) -> None:
    record = framed(message(tensor([1], keys=[0], shape=[2**24]), tensor([1])))
    (tmp_path / "rows").write_bytes(record * 8)
    code = f"""\
    from pathlib import Path
    import numpy
    from local.algorithms.linear_learner.channels import Channel
    from local.algorithms.errors import ClientError
    folder = Path({str(tmp_path)!r})
    # limited
    try:
        Channel("train", folder, "application/x-recordio-protobuf", False, False).read(feature_dim=3)
    except ClientError as error:
        print(error)
    """
    assert f"has {2**24} features where 3 are expected" in run_within_limits(code, mebibytes=64)
