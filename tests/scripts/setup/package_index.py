"""A small package index, whose network can break."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PackageIndex:
    """Serves wheels by PEP 691, and their metadata by PEP 658.

    Attributes:
        url: The address for pip and uv.
        fetched: The names of the files that were sent whole.
        breaks: Names of files whose connection breaks half-way.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.metadata: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.breaks: set[str] = set()

    def add(self, name: str, files: dict[str, bytes], version: str = "1.0", tag: str = "py3-none-any") -> None:
        """Add a wheel with these files."""
        stem = f"{name.replace('-', '_')}-{version}"
        information = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        files = files | {f"{stem}.dist-info/{file}": text.encode() for file, text in information.items()}
        record = "".join(f"{file},,\n" for file in [*files, f"{stem}.dist-info/RECORD"])
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as wheel:
            for file, data in (files | {f"{stem}.dist-info/RECORD": record.encode()}).items():
                entry = zipfile.ZipInfo(file)
                entry.external_attr = (stat.S_IFREG | 0o755) << 16
                wheel.writestr(entry, data)
        self.files[f"{stem}-{tag}.whl"] = content.getvalue()
        self.metadata[f"{stem}-{tag}.whl.metadata"] = information["METADATA"].encode()

    def listing(self, name: str) -> bytes:
        """Return the files of a package."""
        found = {file: content for file, content in self.files.items() if file.split("-")[0] == name.replace("-", "_")}
        files = [
            {
                "filename": file,
                "url": f"/files/{file}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "core-metadata": True,
            }
            for file, content in found.items()
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode()


class _Handler(BaseHTTPRequestHandler):
    index: PackageIndex

    def do_GET(self) -> None:
        *_, folder, name = self.path.rstrip("/").split("/")
        if folder == "simple":
            self._send(self.index.listing(name), "application/vnd.pypi.simple.v1+json")
        elif name in self.index.metadata:
            self._send(self.index.metadata[name], "application/octet-stream")
        elif name not in self.index.files:
            self.send_error(404)
        elif name in self.index.breaks:
            self._send(self.index.files[name], "application/octet-stream", part=0.5)
        else:
            self._send(self.index.files[name], "application/octet-stream")
            self.index.fetched.append(name)

    def _send(self, content: bytes, kind: str, part: float = 1) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: int(len(content) * part)])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def package_index() -> Iterator[PackageIndex]:
    """Serve an empty index on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    index = PackageIndex(f"http://127.0.0.1:{server.server_port}/simple")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"index": index})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield index
    server.shutdown()
    server.server_close()
