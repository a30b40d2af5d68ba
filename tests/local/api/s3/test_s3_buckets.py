"""Buckets, and listings of buckets, objects, versions and uploads."""

import pytest
from botocore.exceptions import ClientError

from local.app.server import LocalService
from local.core.settings import Settings
from tests.local.api.s3.raw_s3 import send
from tests.local.conftest import RunningService

KEYS = ["a", "b/1", "b/2", "b&<c>", "d/e/f", "z é+%"]


@pytest.fixture(scope="module")
def s3(service):
    return service.client("s3")


@pytest.fixture(scope="module")
def bucket(service, s3) -> str:
    s3.create_bucket(Bucket="listings")
    for key in KEYS:
        s3.put_object(Bucket="listings", Key=key, Body=key.encode())
    return "listings"


def keys(answer, name="Contents"):
    return [item["Key"] for item in answer.get(name, [])]


def prefixes(answer):
    return [item["Prefix"] for item in answer.get("CommonPrefixes", [])]


def test_a_bucket_is_made_asked_for_and_removed(s3) -> None:
    made = s3.create_bucket(Bucket="made", ACL="private", ObjectOwnership="BucketOwnerEnforced")
    assert made["Location"] == "/made"
    assert s3.head_bucket(Bucket="made")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="made")["LocationConstraint"] is None
    s3.put_object(Bucket="made", Key="kept", Body=b"1")
    # us-east-1 alone has no BucketAlreadyOwnedByYou.
    s3.create_bucket(Bucket="made")
    s3.delete_object(Bucket="made", Key="kept")
    s3.delete_bucket(Bucket="made")
    for ask in (s3.head_bucket, s3.get_bucket_location, s3.delete_bucket, s3.list_objects_v2, s3.list_objects):
        with pytest.raises(ClientError) as refusal:
            ask(Bucket="made")
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    for write in (s3.put_object, s3.delete_object, s3.get_object, s3.create_multipart_upload):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            write(Bucket="made", Key="key")


def constrained(s3, constraint: str | None) -> str:
    """The error of CreateBucket with a location constraint, or nothing if it succeeds."""
    configuration = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    try:
        s3.create_bucket(Bucket="constrained", **configuration)
    except ClientError as error:
        status, found = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]
        return f"{status} {found['Code']}: {found['Message']}"
    s3.delete_bucket(Bucket="constrained")
    return ""


def incompatible(constraint: str) -> str:
    return (
        f"400 IllegalLocationConstraintException: The {constraint} location constraint is incompatible for the region"
        " specific endpoint this request was sent to."
    )


def test_a_bucket_is_in_the_services_region(s3) -> None:
    assert constrained(s3, "eu-north-1") == incompatible("eu-north-1")
    assert constrained(s3, "EU") == incompatible("EU")
    assert (
        constrained(s3, "us-east-1") == "400 InvalidLocationConstraint: The specified location-constraint is not valid"
    )
    assert constrained(s3, None) == ""


def test_a_bucket_outside_us_east_1_has_a_location_constraint(tmp_path) -> None:
    with LocalService(Settings(tmp_path / ".local", port=0, region="eu-west-1")) as running:
        s3 = RunningService(running).client("s3")
        assert constrained(s3, None) == incompatible("unspecified")
        assert constrained(s3, "us-east-1") == incompatible("us-east-1")
        assert constrained(s3, "eu-west-1") == ""
        assert constrained(s3, "EU") == ""
        s3.create_bucket(Bucket="near", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        with pytest.raises(ClientError, match="BucketAlreadyOwnedByYou"):
            s3.create_bucket(Bucket="near", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        assert s3.get_bucket_location(Bucket="near")["LocationConstraint"] == "eu-west-1"


def test_an_empty_location_constraint_is_none(service, s3) -> None:
    body = b"<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>"
    assert send(service, "PUT", "/empty-constraint", body).status == 200


@pytest.mark.parametrize(
    "name",
    [
        *("AB", "a", "10.0.0.1", "a..b", "under_score"),
        *("xn--a", "sthree-a", "amzn-s3-demo-a", "a-s3alias", "a--ol-s3", "a.mrap", "a--x-s3", "a--table-s3"),
    ],
)
def test_a_bucket_has_a_name_that_s3_takes(service, name) -> None:
    answer = send(service, "PUT", f"/{name}")
    assert (answer.status, b"InvalidBucketName" in answer.body) == (400, True)


def test_buckets_are_listed_in_pages(s3, bucket) -> None:
    for number in range(3):
        s3.create_bucket(Bucket=f"paged-{number}")
    found = s3.list_buckets(Prefix="paged-", MaxBuckets=2)
    assert [each["Name"] for each in found["Buckets"]] == ["paged-0", "paged-1"]
    assert {each["BucketRegion"] for each in found["Buckets"]} == {"us-east-1"}
    rest = s3.list_buckets(Prefix="paged-", ContinuationToken=found["ContinuationToken"])
    assert ([each["Name"] for each in rest["Buckets"]], "ContinuationToken" in rest) == (["paged-2"], False)
    assert s3.list_buckets(BucketRegion="eu-west-1")["Buckets"] == []
    assert s3.list_buckets()["Owner"]["ID"]


def test_a_bucket_with_uploads_under_way_forgets_them(s3) -> None:
    s3.create_bucket(Bucket="forgetful")
    s3.create_multipart_upload(Bucket="forgetful", Key="key")
    s3.delete_bucket(Bucket="forgetful")
    s3.create_bucket(Bucket="forgetful")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="forgetful")


@pytest.mark.parametrize(
    ("arguments", "found", "rolled"),
    [
        ({}, KEYS, []),
        ({"Prefix": "b"}, ["b&<c>", "b/1", "b/2"], []),
        ({"Delimiter": "/"}, ["a", "b&<c>", "z é+%"], ["b/", "d/"]),
        ({"Prefix": "b/", "Delimiter": "/"}, ["b/1", "b/2"], []),
        ({"Prefix": "d/", "Delimiter": "/"}, [], ["d/e/"]),
        ({"Prefix": "nothing"}, [], []),
        ({"MaxKeys": 0}, [], []),
        ({"Delimiter": "&<"}, ["a", "b/1", "b/2", "d/e/f", "z é+%"], ["b&<"]),
    ],
)
def test_both_listings_roll_keys_up(s3, bucket, arguments, found, rolled) -> None:
    for answer in (s3.list_objects(Bucket=bucket, **arguments), s3.list_objects_v2(Bucket=bucket, **arguments)):
        assert (keys(answer), prefixes(answer)) == (sorted(found), rolled)
        assert (answer["IsTruncated"], answer["Name"]) == (False, bucket)
        assert answer["MaxKeys"] == arguments.get("MaxKeys", 1000)
    answer = s3.list_objects_v2(Bucket=bucket, **arguments)
    assert answer["KeyCount"] == len(found) + len(rolled)
    versions = s3.list_object_versions(Bucket=bucket, **arguments)
    assert (keys(versions, "Versions"), prefixes(versions)) == (sorted(found), rolled)


def test_a_listing_begins_after_a_key(s3, bucket) -> None:
    assert keys(s3.list_objects_v2(Bucket=bucket, StartAfter="b/1")) == ["b/2", "d/e/f", "z é+%"]
    answer = s3.list_objects_v2(Bucket=bucket, StartAfter="b/1", Delimiter="/")
    # Keys behind it are there, whose beginning comes before it.
    assert (keys(answer), prefixes(answer)) == (["z é+%"], ["b/", "d/"])
    assert answer["StartAfter"] == "b/1"
    assert keys(s3.list_objects(Bucket=bucket, Marker="b/1")) == ["b/2", "d/e/f", "z é+%"]
    answer = s3.list_objects(Bucket=bucket, Marker="b/", Delimiter="/")
    assert (keys(answer), prefixes(answer)) == (["z é+%"], ["d/"])


def test_the_first_listing_names_the_next_marker_where_keys_are_rolled_up(s3, bucket) -> None:
    answer = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=3)
    assert (answer["IsTruncated"], answer["NextMarker"]) == (True, "b/")
    assert "NextMarker" not in s3.list_objects(Bucket=bucket, MaxKeys=3)


def test_a_token_is_one_of_a_listing(s3, bucket) -> None:
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    token = page["NextContinuationToken"]
    # The token goes before the key to begin after, as in S3.
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=token, StartAfter="z")
    assert (keys(rest), rest["ContinuationToken"]) == (sorted(KEYS)[1:], token)
    with pytest.raises(ClientError, match="continuation token provided is incorrect"):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="éé")


def test_keys_are_encoded_if_a_client_wants_it(service, bucket) -> None:
    answer = send(service, "GET", f"/{bucket}?list-type=2&encoding-type=url&start-after=d&delimiter=%2B")
    for shown in (b"<Prefix>z%20%C3%A9%2B</Prefix>", b"<Delimiter>%2B</Delimiter>", b"<Key>d/e/f</Key>"):
        assert shown in answer.body
    assert b"<EncodingType>url</EncodingType>" in answer.body
    plain = send(service, "GET", f"/{bucket}?list-type=2")
    assert b"<Key>b&amp;&lt;c&gt;</Key>" in plain.body


def test_the_owner_is_told_on_demand(s3, bucket) -> None:
    assert "Owner" in s3.list_objects(Bucket=bucket)["Contents"][0]
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert "Owner" not in s3.list_objects_v2(Bucket=bucket, FetchOwner=False)["Contents"][0]
    [owner] = {item["Owner"]["ID"] for item in s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]}
    assert owner == s3.list_buckets()["Owner"]["ID"]


@pytest.mark.parametrize(
    "query",
    [
        *("max-keys=-1", "max-keys=x", "max-keys=", "max-keys=99999999999", "list-type=2&fetch-owner=maybe"),
        *("versions&version-id-marker=null", "encoding-type=base64", "list-type=3"),
    ],
)
def test_numbers_and_words_that_are_none_are_refused(service, bucket, query) -> None:
    answer = send(service, "GET", f"/{bucket}?{query}")
    assert (answer.status, b"InvalidArgument" in answer.body) == (400, True)


def test_a_page_has_a_thousand_keys_at_the_most(service, s3) -> None:
    s3.create_bucket(Bucket="crowded")
    for number in range(1005):
        (service.settings.buckets / "crowded" / f"{number:04}").write_bytes(b"")
    page = s3.list_objects_v2(Bucket="crowded", MaxKeys=5000)
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"]) == (1000, 1000, True)
    rest = s3.list_objects_v2(Bucket="crowded", ContinuationToken=page["NextContinuationToken"])
    assert keys(rest) == ["1000", "1001", "1002", "1003", "1004"]


def test_versions_go_on_after_a_marker(s3, bucket) -> None:
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == ("b&<c>", "null")
    rest = s3.list_object_versions(
        Bucket=bucket, KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
    )
    assert keys(page, "Versions") + keys(rest, "Versions") == sorted(KEYS)
    assert {(item["VersionId"], item["IsLatest"]) for item in rest["Versions"]} == {("null", True)}


def test_uploads_are_listed_in_pages(s3) -> None:
    s3.create_bucket(Bucket="uploading")
    ids = {
        key: sorted(s3.create_multipart_upload(Bucket="uploading", Key=key)["UploadId"] for _ in range(2))
        for key in ("a", "b/1", "b/2")
    }
    pages = list(
        s3.get_paginator("list_multipart_uploads").paginate(Bucket="uploading", PaginationConfig={"PageSize": 1})
    )
    found = [(item["Key"], item["UploadId"]) for page in pages for item in page["Uploads"]]
    assert found == [(key, upload) for key, both in ids.items() for upload in both]
    answer = s3.list_multipart_uploads(Bucket="uploading", Delimiter="/")
    assert ([item["Key"] for item in answer["Uploads"]], prefixes(answer)) == (["a", "a"], ["b/"])
    answer = s3.list_multipart_uploads(Bucket="uploading", Prefix="b/2", EncodingType="url")
    assert {item["Key"] for item in answer["Uploads"]} == {"b/2"}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="uploading", KeyMarker="b/2")


def test_an_unknown_method_is_an_error(service, bucket) -> None:
    assert send(service, "PATCH", f"/{bucket}/key").status == 405
    assert send(service, "DELETE", "/").status == 405
    form = send(service, "POST", f"/{bucket}", b"form")
    assert (form.status, b"NotImplemented" in form.body) == (501, True)
