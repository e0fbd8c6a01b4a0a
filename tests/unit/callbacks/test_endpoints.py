"""The file of callback endpoints."""

from pathlib import Path

import pytest

from activities.callbacks.endpoint_file import PAUSES, problem_before_start
from activities.callbacks.endpoints import Endpoints
from activities.errors import ConfigurationError
from activities.redaction import redacted
from tests.webhook_receiver import SECRET

OPS = '[endpoint.ops]\nurl = "https://ops.example.com/hook"\nsecrets = ["OPS_SECRET"]\n'


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    return loaded(
        tmp_path,
        OPS + '[endpoint.bills]\nurl = "https://b.example.com"\nsecrets = ["OPS_SECRET"]\nrequesters = ["billing-*"]\n',
    )


def loaded(folder: Path, text: str) -> Endpoints:
    file = folder / "callbacks.toml"
    file.write_text(text)
    return Endpoints.load(file)


def test_without_a_file_there_are_no_endpoints() -> None:
    assert Endpoints.load(None).problem_with(["ops"], "ann") == "there is no endpoint 'ops', and none that ann may name"


def test_an_endpoint_is_for_the_requesters_that_it_names(load: Endpoints) -> None:
    assert load.problem_with(["ops"], "ann") is None
    assert load.problem_with(["ops", "bills"], "Billing-7") is None
    assert "there is no such endpoint" in str(load.problem_with(["bills"], "ann"))
    assert load.pauses == PAUSES


def test_before_a_request_starts_the_names_are_looked_at_without_any_secret(tmp_path: Path) -> None:
    file = tmp_path / "callbacks.toml"
    file.write_text(OPS)
    assert problem_before_start(["ops"], "ann", file) is None
    assert "did you mean ops?" in str(problem_before_start(["opps"], "ann", file))
    assert problem_before_start(["opps"], "ann", None) is None, "without a file only the worker knows"
    assert problem_before_start([], "ann", tmp_path / "not-there.toml") is None


def test_a_secret_is_redacted_wherever_it_is_quoted(load: Endpoints) -> None:
    assert SECRET.removeprefix("whsec_") not in redacted(f"the secret {SECRET}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[endpoint.ops]\nurl = 1", "endpoint.ops.url"),
        (OPS + "secret = 'x'", "endpoint.ops.secret: there is no such key; did you mean secrets?"),
        (OPS + 'private = "yes"', "endpoint.ops.private: it is true or false, without quotes"),
        (OPS.replace("https", "http"), "expected https://host/path; plain http only where private = true"),
        (OPS.replace("ops.example", "me:pw@ops.example"), "a user or password"),
        (OPS.replace("OPS_SECRET", "NOT_SET"), "endpoint.ops: the variable NOT_SET is not set"),
        (OPS.replace("OPS_SECRET", "SHORT"), "SHORT: expected whsec_ and 24 bytes or more in base64"),
        (OPS.replace("OPS_SECRET", "whsec_abc="), "secrets.0: expected the name of an environment variable"),
        (f"pauses = [86400, 86400, 86400, 86400, 86400, 86400, 86400, 86400]\n{OPS}", "more than a week"),
        (f"pauses = [nan]\n{OPS}", "pauses.0: it is a number, and neither nan nor inf"),
        ("[[endpoint]]", "endpoint: it is a table: write [endpoint.NAME]"),
        ("[endpoint", "it is no TOML: "),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    monkeypatch.setenv("SHORT", "whsec_c2hvcnQ=")
    with pytest.raises(ConfigurationError, match="ERRAND_CALLBACKS") as wrong:
        loaded(tmp_path, text)
    assert why in str(wrong.value)
    assert SECRET not in str(wrong.value)
