"""A function forked by a server that has imported the SDK finds what it would find in a Python of its own."""

import io
import json
import sys
import zipfile
from pathlib import Path

import psutil
import pytest

from local.app.server import LocalService
from local.core.settings import Settings
from local.runtime.functions import bootstrap
from local.runtime.functions.forking import can_be_forked
from local.runtime.survivors import VARIABLE
from tests.local.conftest import RunningService
from tests.reliability.test_children import until

ROLE = "arn:aws:iam::123456789012:role/function"
COLD = {"MALLOC_ARENA_MAX": "2"}
"""A variable that only a new process reads."""
IS_FORKED = "'guard.py' in open('/proc/self/cmdline').read()"

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, each invocation starts Python")


def create(client, files, variables=None) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, text in files.items():
            opened.writestr(name, text)
    client.create_function(
        FunctionName="f",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": variables or {}},
        **{"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", "Timeout": 20, "MemorySize": 512},
    )


@pytest.fixture
def run(service):
    """Creates a function from files, and gives the payloads of some invocations, one after the other."""
    client = service.client("lambda", read_timeout=60)

    def invoke(files, variables=None, times=1):
        create(client, files, variables)
        try:
            answers = [client.invoke(FunctionName="f")["Payload"].read() for _ in range(times)]
        finally:
            client.delete_function(FunctionName="f")
        payloads = [json.loads(answer) for answer in answers]
        return payloads if times > 1 else payloads[0]

    return invoke


@pytest.mark.parametrize(
    ("files", "variables", "forked"),
    [
        (["main.py", "deployment/queue.py", "numpy.libs/x.so"], ["AWS_NODE", "TABLE", "PYTHONPATH", "TZ"], True),
        (["boto3/__init__.py"], [], False),
        (["urllib3.py"], [], False),
        (["six.cpython-311-x86_64-linux-gnu.so"], [], False),
        (["queue.py"], [], False),
        (["main.py"], ["LC_ALL"], False),
        (["main.py"], ["LD_LIBRARY_PATH"], False),
    ],
)
def test_what_a_forked_process_would_not_notice_needs_a_python_of_its_own(
    tmp_path: Path, files: list[str], variables: list[str], forked: bool
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert can_be_forked(tmp_path, variables) == forked


SURROUNDINGS = f"""
import logging, os, resource, signal, sys, tempfile, threading, time
sdk = sorted(name for name in sys.modules if name.startswith(("boto", "s3transfer", "urllib3", "six", "local.")))
loggers = [str(handler) for handler in logging.getLogger().handlers], logging.getLogger().level

def can_import(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True

def handler(event, context):
    import boto3, botocore
    from importlib.util import find_spec
    found = dict(
        environment=dict(os.environ), zone=time.tzname, folder=os.getcwd(), temporary=tempfile.gettempdir(),
        path=sys.path, flags=list(sys.flags),
        argv=sys.argv, orig_argv=sys.orig_argv, executable=sys.executable, main=sys.modules["__main__"].__file__,
        sdk=sdk, loggers=loggers, botos=logging.getLogger("botocore").level, session=boto3.DEFAULT_SESSION,
        importable=[name for name in ("numpy", "local", "guard", "bootstrap", "site", "psutil") if can_import(name)],
        places=[boto3.__file__, find_spec("botocore.session").origin],
        loaders=[type(package.__spec__.loader).__name__ for package in (boto3, botocore, botocore.session)],
        limits=resource.getrlimit(resource.RLIMIT_DATA), files=sorted(os.listdir("/proc/self/fd")),
        inputs=[os.readlink("/proc/self/fd/0"), sys.stdout.encoding, sys.stderr.errors],
        signals=[str(signal.getsignal(number)) for number in (2, 13, 15, 17)], threads=threading.active_count(),
        group=os.getpid() == os.getsid(0) == os.getpgid(0), context=type(context).__qualname__,
    )
    return dict(found=found, forked={IS_FORKED})
"""


def changing(text: str, payload: dict) -> str:
    """A text without the parts that differ between invocations."""
    variables = payload["found"]["environment"]
    for name in ("HOME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT"):
        text = text.replace(variables[name], name)
    return text


@only_linux
def test_a_forked_function_finds_what_it_finds_in_a_python_of_its_own(run) -> None:
    forked = run({"main.py": SURROUNDINGS}, {"TZ": "Pacific/Honolulu"})
    own = run({"main.py": SURROUNDINGS}, {"TZ": "Pacific/Honolulu", **COLD})
    assert (forked["forked"], own["forked"]) == (True, False)
    # Python itself adds the last one on a machine without the locale of LANG.
    for name in (*COLD, "AWS_LAMBDA_LOG_STREAM_NAME", "SAGEMAKER_LOCAL_PROGRAM", "LC_CTYPE"):
        for payload in (forked, own):
            payload["found"]["environment"].pop(name, None)
    for what, found in own["found"].items():
        assert changing(json.dumps(forked["found"][what]), forked) == changing(json.dumps(found), own), what
    assert forked["found"]["sdk"] == []
    assert forked["found"]["importable"] == ["site"]


@only_linux
def test_a_forked_function_cannot_read_the_services_variables(run) -> None:
    payload = run({"main.py": f"def handler(e, c): return [open('/proc/self/environ').read(), {IS_FORKED}]"})
    names = {entry.partition("=")[0] for entry in payload[0].split("\0") if entry}
    assert names <= {"PATH", "LANG", "LC_CTYPE", "TZ", VARIABLE}
    assert payload[1]


@only_linux
def test_invocations_share_neither_a_process_nor_what_they_change(run) -> None:
    source = f"""
import os, random, boto3, botocore.session
count = 0
def handler(event, context):
    global count
    count += 1
    boto3.count = getattr(boto3, "count", 0) + 1
    os.environ["COUNT"] = os.environ.get("COUNT", "") + "1"
    boto3.setup_default_session()
    return [count, boto3.count, os.environ["COUNT"], {IS_FORKED}, os.getpid(), random.random()]
"""
    payloads = run({"main.py": source}, times=3)
    assert [payload[:4] for payload in payloads] == [[1, 1, "1", True]] * 3
    assert [len({payload[place] for payload in payloads}) for place in (4, 5)] == [3, 3]


OWN = {
    "its own boto3": ({"boto3/__init__.py": "OWN = True"}, "import boto3 as found"),
    "a module in the place of one of Python's": ({"queue.py": "OWN = True"}, "import queue as found"),
    "its own boto3, elsewhere": (
        {"vendored/boto3.py": "OWN = True"},
        "import os, sys; sys.path.insert(0, os.environ['LAMBDA_TASK_ROOT'] + '/vendored'); import boto3 as found",
    ),
    "what boto3 uses, elsewhere": (
        {"vendored/jmespath/__init__.py": "OWN = True", "vendored/jmespath/exceptions.py": ""},
        "import os, sys; sys.path.insert(0, os.environ['LAMBDA_TASK_ROOT'] + '/vendored'); import boto3\n"
        "from botocore.waiter import jmespath as found",
    ),
}


@pytest.mark.parametrize("what", OWN)
def test_a_functions_own_copy_wins(run, what: str) -> None:
    files, source = OWN[what]
    source += "\ndef handler(event, context): return found.OWN"
    assert run({"main.py": source, **files}) is True


@pytest.mark.parametrize("variables", [{}, COLD], ids=["forked", "of its own"])
@pytest.mark.parametrize(
    ("statement", "status"),
    [("import sys; sys.exit(3)", 3), ("import sys; sys.exit('no fold')", 1), ("import os; os._exit(4)", 4)],
)
def test_a_handler_that_exits_is_an_error_with_its_status(run, variables, statement: str, status: int) -> None:
    payload = run({"main.py": f"def handler(event, context): {statement}"}, variables)
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(f"Runtime exited with error: exit status {status}")


@pytest.mark.parametrize("variables", [{}, COLD], ids=["forked", "of its own"])
def test_an_answer_ends_an_invocation_whatever_still_runs(run, tmp_path: Path, variables) -> None:
    source = """
import atexit, os, subprocess, threading, time
from pathlib import Path
def handler(event, context):
    atexit.register(Path(os.environ["ENDED"]).touch)
    threading.Thread(target=time.sleep, args=[1]).start()
    subprocess.Popen(["sleep", "600"])
    return "answered"
"""
    ended = tmp_path / "ended"
    assert run({"main.py": source}, {"ENDED": str(ended), **variables}) == "answered"
    assert not ended.exists()


def fork_servers() -> set[psutil.Process]:
    """The services' processes that have imported the SDK."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return {child for child in children if bootstrap.__file__ in child.cmdline()}


@only_linux
def test_a_fork_server_starts_with_the_first_function_and_ends_with_the_service(tmp_path: Path) -> None:
    others = fork_servers()
    with LocalService(Settings(tmp_path / ".local", port=0)) as service:
        assert fork_servers() == others
        create(RunningService(service).client("lambda"), {"main.py": "def handler(event, context): pass"})
        until(lambda: fork_servers() - others)
    assert fork_servers() == others
