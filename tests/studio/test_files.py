"""The browser of S3: buckets, folders, previews and downloads, with keys of any characters."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from botocore.exceptions import ClientError

from studio.aws import Aws
from studio.faults import PageError
from studio.objects import PAGE, split_uri
from tests.local.interpreter.documents import fail, parameter, processing

KEYS = [
    "with space/a+b & 100%25 #1?.csv",
    "unicode/ä漢字 😀.txt",
    "quote\"'<x>/k&amp;.txt",
    "plain.txt",
]


@pytest.fixture(scope="module")
def s3(service) -> Any:
    client = service.client("s3")
    client.create_bucket(Bucket="odd-files")
    for key in KEYS:
        client.put_object(Bucket="odd-files", Key=key, Body=b"name,note\nx,<script>alert(1)</script>\n")
    return client


def links(page: str, text: str) -> list[str]:
    """The addresses of the links of a page that have a text in them."""
    return [unescape(found) for found in re.findall(r'href="([^"]+)"', page) if text in unescape(found)]


def file_page(bucket: str, key: str) -> str:
    return f"/files/{bucket}/object?{urlencode({'key': key})}"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_any_characters_is_found_by_its_links_and_escaped(browser, s3, key) -> None:
    address = "/files/odd-files"
    if "/" in key:
        folder = quote(key.partition("/")[0] + "/", safe="")
        page = browser.get(address).body
        (found,) = [each for each in links(page, "prefix=") if folder in each.replace("+", "%20")]
        address += found
    (found,) = links(browser.get(address).body, "/object?key=")[-1:]
    page = browser.get(found).body
    assert "<x>" not in page
    assert "<script>alert" not in page
    assert "alert(1)" in page
    (download,) = links(page, "/download?")
    answer = browser.get(download)
    assert answer.body == "name,note\nx,<script>alert(1)</script>\n"
    assert answer.headers["content-type"] == "application/octet-stream"
    name = quote(key.rpartition("/")[2], safe="")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert answer.headers["content-length"] == str(len(answer.body))


def test_keys_with_dots_are_sent_as_they_are(browser, calls, s3) -> None:
    calls.clear()
    # The local service cannot have such an object, and says so: the key came through.
    for page in (file_page("odd-files", "a/../b"), f"/files/odd-files/download?{urlencode({'key': '../x'})}"):
        answer = browser.get(page)
        assert answer.status >= 400
        assert "<h1>" in answer.body
    assert calls == {"HeadObject": 1, "GetObject": 1}


def test_a_folder_has_pages_of_one_call(browser, calls, s3) -> None:
    for number in range(PAGE + 5):
        s3.put_object(Bucket="odd-files", Key=f"many/{number:03}.txt", Body=b"x")
    calls.clear()
    first = browser.get("/files/odd-files?prefix=many/")
    assert calls == {"ListObjectsV2": 1}
    (following,) = links(first.body, "after=")
    second = browser.get(f"/files/odd-files{following}")
    shown = links(first.body + second.body, "/object?key=")
    assert len(shown) == len(set(shown)) == PAGE + 5
    assert not links(second.body, "after=")
    started = browser.get("/files/odd-files?prefix=many/10")
    assert len(links(started.body, "/object?key=")) == 5


def test_objects_have_a_size_a_time_and_a_preview(browser, calls, s3) -> None:
    s3.put_object(Bucket="odd-files", Key="shown/table.csv", Body=b"a,b\n1,2\n")
    s3.put_object(Bucket="odd-files", Key="shown/a.json", Body=b'{"b":{"c":1}}')
    s3.put_object(Bucket="odd-files", Key="shown/large.txt", Body=b"x" * 200_000)
    s3.put_object(Bucket="odd-files", Key="shown/empty", Body=b"")
    assert "200 kB" in browser.get("/files/odd-files?prefix=shown/").body
    calls.clear()
    table = browser.get(file_page("odd-files", "shown/table.csv")).body
    assert calls == {"HeadObject": 1, "GetObject": 1}
    assert '<th scope="col">a</th>' in table
    assert '<td class="number">2</td>' in table
    assert "&#34;b&#34;: {\n    &#34;c&#34;: 1" in browser.get(file_page("odd-files", "shown/a.json")).body
    large = browser.get(file_page("odd-files", "shown/large.txt")).body
    assert "first 64 kB" in large
    assert large.count("x") < 70_000
    assert "The object is empty" in browser.get(file_page("odd-files", "shown/empty")).body


def test_a_uri_leads_to_its_object_or_folder(browser, s3) -> None:
    s3.put_object(Bucket="odd-files", Key="out/a #1.txt", Body=b"x")
    s3.put_object(Bucket="odd-files", Key="out.txt", Body=b"x")
    for uri, place in {
        "s3://odd-files/out/a #1.txt": "/files/odd-files/object?key=out%2Fa+%231.txt",
        "s3://odd-files/out": "/files/odd-files?prefix=out%2F",
        "s3://odd-files/out/": "/files/odd-files?prefix=out%2F",
        "s3://odd-files": "/files/odd-files?prefix=",
    }.items():
        answer = browser.get(f"/files?{urlencode({'uri': uri})}")
        assert (answer.status, answer.headers["location"]) == (303, place)
    assert browser.get("/files?uri=http://elsewhere.example/x").status == 400


@pytest.mark.parametrize("uri", ["", "s3://", "s3://A/x", "s3:///x", "s3://a/b", "//bucket/x", "s3://../x"])
def test_what_is_no_uri_is_refused(uri) -> None:
    with pytest.raises(PageError, match="S3 URI"):
        split_uri(uri)


def test_a_pipelines_buckets_come_first_and_are_there_without_the_right_to_list(
    browser, s3, pipelines, monkeypatch
) -> None:
    s3.create_bucket(Bucket="zzz-of-a-pipeline")
    uri = "s3://zzz-of-a-pipeline/data.csv"
    name = pipelines.create(fail("Stop"), parameters=[parameter("Data", "String", uri)])
    page = browser.get("/files").body
    assert page.index("/files/zzz-of-a-pipeline") < page.index("/files/odd-files")
    assert f'href="/pipelines/{name}"' in page

    def refuse(_: Aws, __: str = "") -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListBuckets")

    monkeypatch.setattr("studio.pages.files.list_buckets", refuse)
    page = browser.get("/files").body
    assert "/files/zzz-of-a-pipeline" in page
    assert "/files/odd-files" not in page
    assert "ListBuckets: no" in page


def test_the_buckets_are_few_calls(browser, calls, pipelines, s3) -> None:
    for _ in range(25):
        pipelines.create(fail("Stop"))
    calls.clear()
    browser.get("/files")
    assert calls == {"ListPipelines": 1, "DescribePipeline": 20, "ListBuckets": 1}


@pytest.mark.slow
def test_uris_in_parameters_and_jobs_are_links(browser, pipelines, s3) -> None:
    uri = "s3://odd-files/out put"
    step = processing("Write", "python3", "-c", "0", outputs={"result": uri})
    outcome = pipelines.run(step, parameters=[parameter("Data", "String", uri)])
    execution = f"/pipelines/{outcome.arn.split('/')[1]}/executions/{outcome.id}"
    for path in (execution, f"{execution}/steps/Write"):
        assert 'href="/files?uri=s3%3A%2F%2Fodd-files%2Fout+put"' in browser.get(path).body


@pytest.mark.parametrize(
    "path", ["/files/no-such-bucket", file_page("no-such-bucket", "x"), file_page("odd-files", "none")]
)
def test_what_is_not_there_is_a_page_with_a_sentence(browser, s3, path) -> None:
    answer = browser.get(path)
    assert answer.status == 404
    assert "There is no such thing" in answer.body
