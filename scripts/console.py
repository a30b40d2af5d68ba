"""Options, questions, output and error messages of the commands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from pipeline.config.loading import load_config
from pipeline.config.models import Config
from pipeline.errors import ConfigError, UserError

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Escape what a terminal would obey: control characters, ANSI sequences, changes of the writing direction."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class VisibleConsole(Console):
    """A console that escapes control characters in text from outside, for example in log lines and names."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string, and escape control characters before Rich drops some of them."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, and escape control characters in all segments except Rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


console = VisibleConsole(highlight=False, soft_wrap=True)
errors = VisibleConsole(stderr=True, highlight=False, soft_wrap=True)

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def option(name: str, default: str = "") -> str:
    """Return an option of the command, which make passes as an environment variable; empty if it is not given."""
    return os.environ.get(name, "") or default


def is_on(name: str) -> bool:
    """Return whether an option of the command says yes, like ``YES=1``."""
    return option(name) in ("1", "yes", "true")


def load() -> Config:
    """Return the configuration of the file in the option CONFIG, ``config.yaml`` by default."""
    return load_config(Path(option("CONFIG", "config.yaml")))


def aws_session(config: Config) -> boto3.Session:
    """Return a session in the configuration's region, with the environment's credentials and endpoint."""
    return boto3.Session(region_name=config.aws.region)


def is_local_service() -> bool:
    """Return whether the environment's AWS endpoint is on this machine."""
    return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in ("127.0.0.1", "localhost")


def client_config() -> botocore.config.Config:
    """Return client settings for interactive commands: few retries and a short connection timeout."""
    return botocore.config.Config(connect_timeout=5, retries={"max_attempts": 4, "mode": "standard"})


def confirm(question: str) -> bool:
    """Ask a question and return whether the answer is yes. YES=1 answers yes.

    Raises:
        UserError: there is no terminal, and YES=1 is not given.
    """
    if is_on("YES"):
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{question} There is no terminal to answer at: run it again with YES=1 to answer yes.")
    return console.input(f"{question} \\[y/N] ").strip().lower() in ("y", "yes")


def run(main: Callable[[], int]) -> None:
    """Run a command and exit with its status. Errors that the user can fix are printed without a traceback."""
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    except ConfigError as error:
        status = _say(*error.faults)
    except UserError as error:
        status = _say(str(error))
    except ClientError as error:
        status = _say(_client_error(error))
    except BotoCoreError as error:
        status = _say(_connection_error(error))
    except BrokenPipeError:
        status = 141
    sys.exit(status)


def _say(*sentences: str) -> int:
    for sentence in sentences:
        errors.print(sentence, style="red", markup=False)
    return 1


def _client_error(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return f"AWS says that your credentials have expired ({code}): sign in again, then repeat the command."
    if code in _UNKNOWN:
        return (
            f"AWS does not accept your credentials ({code}). Check AWS_PROFILE and AWS_ACCESS_KEY_ID; "
            'for the local service run: eval "$(make -s local-env)"'
        )
    if code in _DENIED:
        return f"Your AWS identity may not do this ({error.operation_name}): {message}"
    return f"AWS refused {error.operation_name} ({code}): {message}"


def _connection_error(error: BotoCoreError) -> str:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return (
            "No AWS credentials were found. Set AWS_PROFILE or sign in with 'aws configure' or 'aws sso login'; "
            'for the local service run: make local, and in this shell: eval "$(make -s local-env)"'
        )
    if isinstance(error, ProfileNotFound):
        return f"{error}. Check AWS_PROFILE, or see 'aws configure list-profiles'."
    if isinstance(error, TokenRetrievalError):
        return f"Your AWS sign-in has expired: {error}. Run 'aws sso login'."
    if isinstance(error, EndpointConnectionError) and is_local_service():
        return f"Nothing answers at {os.environ['AWS_ENDPOINT_URL']}: start the local service with 'make local'."
    if isinstance(error, EndpointConnectionError | NoRegionError):
        return f"{error} Is aws.region in config.yaml right, and is there a network?"
    return str(error)
