"""S3: the buckets, their folders, and objects with a preview and a download.

Prefixes and keys are in the query of an address, not in its path: browsers and servers resolve ``..`` and ``//`` in
paths.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.aws import Aws
from studio.faults import fault_of
from studio.objects import (
    buckets_of_pipelines,
    describe_object,
    is_object,
    list_buckets,
    read_folder,
    read_start,
    split_uri,
)
from studio.previews import Preview, bytes_wanted, preview
from studio.web import page, studio

_CHUNK = 1 << 20


def files(request: Request) -> Response:
    """Show the buckets; ``?uri=`` leads to the object or the folder of an S3 URI."""
    uri, token = request.query_params.get("uri", ""), request.query_params.get("after", "")
    if uri:
        return RedirectResponse(_address(request, *split_uri(uri)), 303)
    aws = studio(request).aws
    users = {} if token else buckets_of_pipelines(aws)
    try:
        listed, next_token = list_buckets(aws, token)
        refusal = ""
    except ClientError as error:
        # Many identities may read the pipelines' buckets, but not list all.
        listed, next_token, refusal = [], "", fault_of(error).sentence
    # Among many buckets, those of the pipelines may be on a later page.
    buckets = {name: {"Name": name} for name in users} | {each["Name"]: each for each in listed}
    return page(
        request,
        "files.html",
        buckets=buckets.values(),
        users=users,
        token=token,
        next_token=next_token,
        refusal=refusal,
    )


def folder(request: Request) -> Response:
    """Show a page of a folder."""
    bucket = request.path_params["bucket"]
    prefix, token = request.query_params.get("prefix", ""), request.query_params.get("after", "")
    parent, _, start = prefix.rpartition("/")
    parent = prefix[: len(prefix) - len(start)]
    return page(
        request,
        "folder.html",
        bucket=bucket,
        prefix=prefix,
        parent=parent,
        start=start,
        crumbs=_crumbs(parent),
        folder=read_folder(studio(request).aws, bucket, prefix, token),
        token=token,
    )


def file(request: Request) -> Response:
    """Show what is known of an object, and its start."""
    aws, bucket, key = studio(request).aws, request.path_params["bucket"], request.query_params.get("key", "")
    described = describe_object(aws, bucket, key)
    return page(
        request,
        "file.html",
        bucket=bucket,
        key=key,
        name=_name(key),
        crumbs=_crumbs(key),
        described=described,
        preview=_preview(aws, bucket, key, described["ContentLength"]),
    )


def download(request: Request) -> Response:
    """Send an object. No browser shows it as a page: it is a file of unknown type, whatever its metadata say."""
    key = request.query_params.get("key", "")
    answer = studio(request).aws.client("s3").get_object(Bucket=request.path_params["bucket"], Key=key)
    headers = {
        "Content-Length": str(answer["ContentLength"]),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(_name(key), safe='')}",
    }
    return StreamingResponse(answer["Body"].iter_chunks(_CHUNK), media_type="application/octet-stream", headers=headers)


def _preview(aws: Aws, bucket: str, key: str, size: int) -> Preview:
    if not size:
        return Preview(remark="The object is empty.")
    try:
        return preview(key, read_start(aws, bucket, key, bytes_wanted(key, size)), size)
    except ClientError as error:  # for example an archived object, or a key of KMS that the identity may not use
        return Preview(remark=f"The content cannot be read. {fault_of(error).sentence}")


def _address(request: Request, bucket: str, key: str) -> str:
    """Return the address of an object's or a folder's page. A URI does not say which of the two it is."""
    if key and not key.endswith("/"):
        if is_object(studio(request).aws, bucket, key):
            return f"{request.app.url_path_for('file', bucket=bucket)}?{urlencode({'key': key})}"
        key += "/"
    return f"{request.app.url_path_for('folder', bucket=bucket)}?{urlencode({'prefix': key})}"


def _crumbs(key: str) -> list[tuple[str, str]]:
    """Return the name and the prefix of each folder above a key."""
    names = key.split("/")[:-1]
    return [(name, "".join(f"{each}/" for each in names[:place])) for place, name in enumerate(names, start=1)]


def _name(key: str) -> str:
    return key.rstrip("/").rpartition("/")[2] or "object"


navigation = ("Files in S3", "files")
routes = [
    Route("/files", files),
    Route("/files/{bucket}", folder),
    Route("/files/{bucket}/object", file),
    Route("/files/{bucket}/download", download),
]
