"""Common options, questions, output and error messages of the commands."""

from __future__ import annotations

import errno
import gc
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProxyConnectionError,
)
from click.shell_completion import CompletionItem
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from pipeline.errors import ConfigError, UserError
from pipeline.sign_in import are_credentials_unknown, sign_in_remedy
from pipeline.text import broken, visible
from scripts.command_line import call, discard, flag, option

if TYPE_CHECKING:
    import boto3
    import botocore.config

    from pipeline.config.models import Config


class VisibleConsole(Console):
    """A console that escapes control characters in text from outside, for example in log lines and names.

    In a terminal, it breaks lines between words.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """Print strings with lines that fit the terminal, and other objects as Rich does."""
        if self.is_terminal:
            objects = tuple(broken(each, self.width) if isinstance(each, str) else each for each in objects)
        super().print(*objects, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string, and escape control characters before Rich drops some of them."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, and escape control characters in all segments except Rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))

    def on_broken_pipe(self) -> None:
        """Print nothing from now on. The command goes on: it may be in the middle of a change."""
        self.quiet = True
        discard(self.file)


if os.environ.get("COLUMNS", "").strip("0") == "":
    # Terminals of unknown width say 0, and Rich would print nothing.
    os.environ.pop("COLUMNS", None)

# In a notebook, plain lines: Rich's own rendering there needs ipywidgets. ipykernel sets FORCE_COLOR, which makes Rich
# take a cell's output for a terminal and move its cursor.
_IS_TERMINAL = False if "ipykernel" in sys.modules else None
console = VisibleConsole(highlight=False, soft_wrap=True, force_jupyter=False, force_terminal=_IS_TERMINAL)
errors = VisibleConsole(stderr=True, highlight=False, soft_wrap=True, force_jupyter=False, force_terminal=_IS_TERMINAL)

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_FULL = "No space is left on the disk: free some, and repeat the command."
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: "The file system is read-only: use a folder that can be written to.",
    errno.EACCES: "You may not use this file or folder: check its owner and permissions.",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n), and repeat the command.",
    errno.ENFILE: "Too many files are open on this machine: close some programs, and repeat the command.",
    errno.EAGAIN: "The system starts no more processes: raise the limit of processes (ulimit -u).",
    errno.ENOMEM: "The system has no memory left: close some programs, and repeat the command.",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


_DEFAULT_CONFIG = "config.yaml"
_config_path: ContextVar[str] = ContextVar("config_path", default=_DEFAULT_CONFIG)
"""The configuration's file that the command was given."""

_TAKES_CONFIG = re.compile(
    r"\bmake (run|upsert|start|status|report|predict|delete|bootstrap|estimate|rollback)\b(?! CONFIG=)"
)


def with_config(sentence: str) -> str:
    """Return a sentence whose commands of make have the configuration that this command has, if not the default."""
    path = _config_path.get()
    if path == _DEFAULT_CONFIG:
        return sentence
    return _TAKES_CONFIG.sub(lambda found: f"{found.group()} CONFIG={shlex.quote(path)}", sentence)


class ConfigFile(click.ParamType["Config", str]):
    """The path of a configuration file; its value is the configuration."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Config:
        """Read the file.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        if ctx is not None and ctx.resilient_parsing:
            self.fail("Completion needs the options only, and no configuration.", param, ctx)
        # Imported here, because help and completion read no configuration, and the import takes half a second.
        from pipeline.config.loading import load_config  # noqa: PLC0415

        _config_path.set(value)
        return load_config(Path(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Let the shell complete the names of files."""
        return [CompletionItem(incomplete, type="file")]


config_option = option(
    "--config",
    variable="CONFIG",
    type=ConfigFile(),
    default=_DEFAULT_CONFIG,
    show_default=True,
    metavar="file.yaml",
    help="The configuration.",
)
yes_option = flag("--yes", variable="YES", help="Answer yes to all questions.")


def aws_session(config: Config) -> boto3.Session:
    """Return a session in the configuration's region, with the environment's credentials and endpoint."""
    # Imported here, because help and completion call nobody, and the import takes a third of a second.
    import boto3  # noqa: PLC0415

    return boto3.Session(region_name=config.aws.region)


def is_local_service() -> bool:
    """Return whether the environment's AWS endpoint is on this machine."""
    return urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in ("127.0.0.1", "localhost")


def client_config() -> botocore.config.Config:
    """Return client settings for interactive commands: few retries and a short connection timeout."""
    import botocore.config  # noqa: PLC0415 - as in aws_session

    return botocore.config.Config(connect_timeout=5, retries={"max_attempts": 4, "mode": "standard"})


def confirm(question: str, *, yes: bool) -> bool:
    """Ask a question and return whether the answer is yes; ``yes`` is the answer without asking.

    Raises:
        UserError: there is no terminal, and the answer is not given.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{question} There is no terminal to answer at: run it again with YES=1 (--yes) to answer yes.")
    return console.input(f"{question} \\[y/N] ").strip().lower() in ("y", "yes")


def run(main: click.Command, program: str = "") -> None:
    """Run a command and exit with its status. Errors that the user can fix are printed without a traceback.

    Args:
        main: the command.
        program: how the user starts it, by default as a module of this package.
    """
    _let_ctrl_c(signal.default_int_handler)
    try:
        status = call(main, program)
    except KeyboardInterrupt:
        status = 130
    except ConfigError as error:
        status = say(*error.faults)
    except UserError as error:
        status = say(str(error))
    except ClientError as error:
        status = say(_client_error(error))
    except BotoCoreError as error:
        status = say(_connection_error(error))
    except (OSError, RuntimeError) as error:
        sentence = _system_error(error)
        if not sentence:
            raise
        status = say(sentence)
    # A second Ctrl-C ends the process at once.
    _let_ctrl_c(signal.SIG_DFL)
    # At its end, Python would look through all objects for garbage, three times: half a second or more.
    gc.freeze()
    sys.exit(status)


def _let_ctrl_c(handler: Callable[[int, FrameType | None], Any] | signal.Handlers) -> None:
    """Let Ctrl-C do something, unless it is ignored, as in the background of a shell."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def say(*sentences: str) -> int:
    """Print sentences as errors; return the exit status."""
    for sentence in sentences:
        errors.print(with_config(sentence), style="red", markup=False)
    return 1


def _system_error(error: OSError | RuntimeError) -> str:
    """Return what the operating system refuses and what to do, or nothing for an error of this program."""
    if isinstance(error, RuntimeError):
        threads = "can't start new thread" in str(error)
        return "The system starts no more threads: raise the limit of processes (ulimit -u)." if threads else ""
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return place + _REMEDIES[error.errno] if error.errno in _REMEDIES else ""


def _client_error(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return f"AWS says that your credentials have expired ({code}): sign in again, then repeat the command."
    if are_credentials_unknown(error):
        return (
            f"AWS does not accept your credentials ({code}). Check AWS_PROFILE and AWS_ACCESS_KEY_ID; "
            'for the local service run: eval "$(make -s local-env)"'
        )
    if code == "InsufficientStorage":
        return f"The local service could not do {error.operation_name}: {message}."
    if code in _DENIED:
        return f"Your AWS identity may not do this ({error.operation_name}): {message}"
    return f"AWS refused {error.operation_name} ({code}): {message}"


def _connection_error(error: BotoCoreError) -> str:
    remedy = sign_in_remedy(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        local = 'for the local service run: make local, and in this shell: eval "$(make -s local-env)"'
        return f"No AWS credentials were found. {remedy}; {local}"
    if isinstance(error, ConfigParseError):
        remedy = "Mend the file, or unset AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"
    if remedy:
        return f"{str(error).rstrip('. ')}. {remedy}."
    if isinstance(error, ProxyConnectionError) and is_local_service():
        return f'{error}. The local service needs no proxy: run eval "$(make -s local-env)" again, or set NO_PROXY.'
    if isinstance(error, EndpointConnectionError) and is_local_service():
        return (
            f"Nothing answers at {os.environ['AWS_ENDPOINT_URL']}: start the local service with 'make local'. "
            "For an AWS account, use a new shell, without the environment of 'make local-env'."
        )
    if isinstance(error, EndpointConnectionError | NoRegionError):
        return f"{error} Is aws.region in config.yaml right, and is there a network?"
    return str(error)
