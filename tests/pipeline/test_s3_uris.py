"""S3 URIs are split as S3 does: a key may have each character that ends a path elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.s3_uris import split_uri

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("key", ["", "a/b", "a?b=1#c", "/lead//x/", "a;b", "100%"])
def test_a_key_is_all_that_follows_the_bucket(key) -> None:
    assert split_uri(f"s3://bucket/{key}") == ("bucket", key)
    assert split_uri("s3://bucket") == ("bucket", "")


def test_no_module_takes_the_uri_of_an_object_for_a_url() -> None:
    modules = [path for folder in ("pipeline", "steps") for path in (REPOSITORY / folder).rglob("*.py")]
    assert len(modules) > 50
    assert [path for path in modules if "urlsplit" in path.read_text() or "urlparse" in path.read_text()] == []
