"""Who is let in, and what a page may do."""

from __future__ import annotations

import hashlib
import re
import socket
from pathlib import Path

import boto3
import pytest

import studio
from studio.aws import Aws
from studio.pages import routes
from studio.server import HOST, Server
from tests.studio.conftest import Browser

VENDOR = Path(studio.__file__).parent / "static/vendor"
GETS = ["/", "/pipelines/x", "/static/studio.css", "/nowhere", "/?token=wrong"]


def test_a_browser_that_is_quicker_than_studio_waits() -> None:
    session = boto3.Session("a", "b", region_name="us-east-1")
    with Server(Aws(session), 0) as server:
        socket.create_connection((HOST, server.port)).close()


@pytest.mark.parametrize("path", GETS)
def test_every_answer_forbids_foreign_and_inline_scripts(browser, stranger, path) -> None:
    for each in (browser, stranger):
        policy = each.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_browser_without_the_cookie_is_refused(stranger) -> None:
    answer = stranger.get("/")
    assert answer.status == 401
    assert "make studio" in answer.body


def test_the_token_is_exchanged_for_a_strict_cookie(studio, stranger) -> None:
    answer = stranger.get(f"/pipelines/x?token={studio.secrets.token}&version=2")
    assert (answer.status, answer.headers["location"]) == (303, "/pipelines/x?version=2")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert studio.secrets.token not in cookie


def test_the_token_leads_to_no_other_host(studio, stranger) -> None:
    assert stranger.get(f"//elsewhere.example/?token={studio.secrets.token}").headers["location"].startswith("/else")


def test_a_wrong_token_or_cookie_is_refused(studio, stranger) -> None:
    assert stranger.get("/?token=wrong").status == 401
    assert stranger.get("/", Cookie=f"studio-{studio.port}=wrong").status == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8567", "127.0.0.1", "127.0.0.1.evil.example"])
def test_another_host_is_refused_even_with_the_cookie(browser, host) -> None:
    assert browser.get("/", Host=host).status == 400


def test_every_post_needs_the_token_of_a_form(browser) -> None:
    posts = [route for route in routes() if "POST" in (route.methods or ())]
    assert posts
    for route in posts:
        path = re.sub(r"{[^}]+}", "1", route.path)
        assert browser.post(path).status == 403, path
        assert browser.post(path, csrf="wrong").status == 403, path


def test_a_post_from_another_site_is_refused(studio, browser) -> None:
    other = Browser(studio, {**browser.headers, "Origin": "http://evil.example"})
    assert other.post("/pipelines/x/start", csrf=studio.secrets.csrf).status == 403


def test_vendored_files_are_what_npm_published() -> None:
    sums = [line.split() for line in (VENDOR / "SHA256SUMS").read_text().splitlines()]
    listed = {name: hash for hash, name in sums}
    files = {path.name: path for path in VENDOR.glob("*.js")}
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
