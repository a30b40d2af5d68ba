"""Trying an endpoint: the form of its model's columns, several rows, and the same request with curl and boto3."""

from __future__ import annotations

import html
import io
import json
import math
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from local.algorithms.linear_learner import links
from pipeline.operate.model_columns import ModelColumns
from studio.invocation import python_code
from tests.scripts.test_operation import NAME, eventually
from tests.studio.accounts import RECORD, WEIGHTS, models_and_browser

PATH = f"/endpoints/{NAME}/try"
ROW = {"column:age": "20,5", "column:day": "02.01.2026", "column:sex": "m", "column:place": "b"}
LOGARITHM = 2.05 + 2.026 + 0.5 * 4 + 1.0 + 0.75
CSV = "place;day;age;sex;more\r\nb;02.01.2026;20,5;m;x\r\na;2026-01-02;20,5;m;x\r\n\r\na;02.01.2026;;f;x\r\n"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with models_and_browser(tmp_path_factory.mktemp("try")) as (models, browser):
        models.record(WEIGHTS, RECORD)
        eventually(lambda: models.status() == "InService", "the model serves")
        yield models, browser


@pytest.fixture(scope="module")
def models(account):
    return account[0]


@pytest.fixture(scope="module")
def browser(account):
    return account[1]


@pytest.fixture(scope="module")
def csrf(browser) -> str:
    return browser.get(PATH).csrf


def copied(body: str, label: str) -> str:
    """What the button copies."""
    found = re.search(rf'<pre tabindex="0" aria-label="{label}">(.*?)</pre>', body, re.DOTALL)
    assert found is not None, body
    return html.unescape(found[1])


def predictions(body: str) -> list[float]:
    found = re.findall(r'class="number">([^<]*)<', body) or re.findall(r'class="score">charges: <b>(.*?)</b>', body)
    return [float(each) if each else math.nan for each in found]


def test_the_form_has_a_field_for_each_raw_column(browser) -> None:
    page = browser.get(PATH).body
    assert re.findall(r'name="column:(\w+)"', page) == ["age", "day", "sex", "place"]
    assert 'placeholder="for example 0,5"' in page
    assert 'placeholder="31.01.2026"' in page
    assert re.search(r"<select [^>]*sex.*?<option>f</option><option>m</option>", page, re.DOTALL)
    assert "Another value counts as other." in page
    assert page.count("It may stay empty.") == 1
    assert f'href="/registry/{NAME}/1"' in page


def test_the_answer_is_in_the_labels_unit(browser, csrf) -> None:
    answer = browser.post(PATH, csrf=csrf, **ROW)
    assert answer.status == 200
    assert predictions(answer.body) == [pytest.approx(math.expm1(LOGARITHM), rel=1e-6)]
    assert "The model predicts log(1 + charges)" in answer.body
    assert copied(answer.body, "request") == "20.5,2026,4,0,0,1,0,1"
    assert json.loads(copied(answer.body, "answer"))["predictions"][0]["score"] == pytest.approx(LOGARITHM)


def test_a_missing_value_is_filled_as_in_training(browser, csrf) -> None:
    answer = browser.post(PATH, csrf=csrf, **ROW | {"column:age": ""})
    assert copied(answer.body, "request") == "40.5,2026,4,1,0,1,0,1"


def test_wrong_values_are_named_and_the_others_kept(browser, csrf) -> None:
    answer = browser.post(PATH, csrf=csrf, **ROW | {"column:day": "<2026>", "column:sex": ""})
    assert answer.status == 422
    assert "day is &#39;&lt;2026&gt;&#39;: a date as %d.%m.%Y is expected" in answer.body
    assert "sex is &#39;&#39;: one of f, m is expected" in answer.body
    assert 'value="20,5"' in answer.body
    assert 'id="answer"' not in answer.body


def test_several_rows_are_scored_and_bad_ones_named(browser, csrf) -> None:
    answer = browser.post(PATH, csrf=csrf, rows=CSV)
    first, bad, last = predictions(answer.body)
    assert first == pytest.approx(math.expm1(LOGARITHM), rel=1e-6)
    assert math.isnan(bad)
    assert last == pytest.approx(math.expm1(4.05 + 2.026 + 2.0 + 3.0 + 0.25), rel=1e-6)
    assert "day is &#39;2026-01-02&#39;" in answer.body
    assert '<th scope="row">5</th>' in answer.body, "the line in the box"
    assert "place;day;age;sex;more\nb;02" in answer.body, "the box keeps its rows"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("", "There are no rows."),
        ("age;day\n1;2", "the header lacks sex, place"),
        ("age;day;sex;place\n", "There are 0 rows"),
        ("age;day;sex;place" + "\n1;02.01.2026;f;a" * 1001, "There are 1001 rows"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(browser, csrf, rows, sentence) -> None:
    answer = browser.post(PATH, csrf=csrf, rows=rows)
    assert answer.status == 422
    assert sentence in answer.body


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_curl_command_gets_the_same_answer(browser, models, csrf) -> None:
    body = browser.post(PATH, csrf=csrf, rows=CSV).body
    command = copied(body, "curl command")
    environment = models.environment | {"AWS_SESSION_TOKEN": ""}
    finished = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(finished.stdout) == json.loads(copied(body, "answer"))


def test_the_python_code_prints_the_same_predictions(browser, models, csrf) -> None:
    body = browser.post(PATH, csrf=csrf, **ROW).body
    code = copied(body, "Python code")
    run = subprocess.run(
        [sys.executable, "-c", code], env=models.environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == pytest.approx(predictions(body))


def test_without_recorded_columns_rows_are_sent_as_they_are(browser, models, csrf) -> None:
    models.record([1.0, 2.0])
    eventually(lambda: 'name="column:' not in browser.get(PATH).body, "the second model serves")
    page = browser.get(PATH).body
    assert "does not record its columns" in page
    answer = browser.post(PATH, csrf=csrf, rows="1,1\n2,2")
    assert predictions(answer.body) == [3.0, 6.0]
    refused = browser.post(PATH, csrf=csrf, rows="@x,<y>")
    assert refused.status == 200
    assert "The model answered with an error" in refused.body
    assert "<y>" not in refused.body


def test_of_classes_the_class_and_its_probability_are_shown(browser, models, csrf) -> None:
    columns = {"columns": {"label": "risk", "features": ["size"]}, "feature_dim": 1, "encoding": {}}
    record = columns | {"preparation": {"numeric": ["size"]}, "classes": ["<never>", "yes"]}
    models.record([1.0], record, output=links.LOGISTIC, threshold=0.3)
    eventually(lambda: 'name="column:size"' in browser.get(PATH).body, "the classifier serves")
    one = browser.post(PATH, csrf=csrf, **{"column:size": "-0.5"}).body
    assert 'class="score">risk: <b>yes</b>' in one, "by the model's threshold, not by one half"
    assert "Score of <b>yes</b>: 0.3775" in one
    several = browser.post(PATH, csrf=csrf, rows="size\n-1\nx\n1\n").body
    assert re.findall(r'class="number">([^<]*)<', several) == ["&lt;never&gt;", "0.2689", "", "", "yes", "0.7311"]


@pytest.mark.parametrize(
    ("classes", "predictions", "printed"),
    [
        (["a", "b"], [{"score": 0.6}, {"score": 0.5}], ["b 0.6", "a 0.5"]),
        (["a", "b"], [{"score": 0.6, "predicted_label": 0}], ["a 0.6"]),
        (["a", "b", "c"], [{"score": [0.1, 0.2, 0.7]}], ["c [0.1, 0.2, 0.7]"]),
    ],
)
def test_the_python_code_chooses_the_class_if_the_model_names_none(classes, predictions, printed, capsys) -> None:
    columns = ModelColumns("risk", {}, None, "the model package", classes=tuple(classes))
    aws: Any = SimpleNamespace(is_local=False, region="us-east-1")
    body = io.BytesIO(json.dumps({"predictions": predictions}).encode())
    client = SimpleNamespace(invoke_endpoint=lambda **_: {"Body": body})
    code = python_code(aws, "risk", "1", columns).replace("import boto3\n", "")
    exec(code, {"boto3": SimpleNamespace(client=lambda *_, **__: client)})
    assert capsys.readouterr().out.splitlines() == printed


def test_an_endpoint_that_does_not_exist_is_said(browser, csrf) -> None:
    assert "There is no endpoint nowhere" in browser.get("/endpoints/nowhere/try").body
