"""`client.py policy check`, which needs no server."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import CommandLine, Said

POLICY = """
[[rule]]
tool = "send_email"
arguments = { to = "*@example.com" }
requester = "billing-*"
ruling = "allow"

[[rule]]
tool = "send_*"
arguments = { to = "*@rival.example" }
ruling = "deny"
"""
CLI = CommandLine({"TEMPORAL_ADDRESS": "127.0.0.1:1", "LOGNAME": "ann", "ERRAND_TOOLS": "tests.sample_tools"})


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    return file


async def check(file: Path, tool: str, arguments: object, *options: str) -> Said:
    return await CLI("policy", "check", str(file), "--tool", tool, "--arguments", json.dumps(arguments), *options)


def mail(to: str) -> object:
    return {"to": [to], "subject": "s", "body": "b"}


async def test_a_call_that_a_rule_fits_is_told_with_the_rule_although_no_mail_server_is_configured(
    policy: Path,
) -> None:
    shown = await check(policy, "send_email", mail("ann@example.com"), "--requester", "billing-7")
    assert shown.code == 0
    assert shown.out.startswith("allow: ")
    assert 'rule 1 of 2: tool = "send_email", requester = "billing-*", ruling = "allow"' in shown.out
    assert 'arguments = { to = "*@example.com" }' in shown.out
    assert "nobody but the model mentioned a value of to" in shown.out
    refused = await check(policy, "send_email", mail("eve@rival.example"))
    assert refused.out.startswith("deny: ")
    assert "rule 2 of 2" in refused.out


async def test_the_login_name_is_the_requester_where_none_is_named(policy: Path) -> None:
    shown = await check(policy, "send_email", mail("ann@example.com"))
    assert shown.out.startswith("ask: ")
    assert "no rule fits; a write that none fits is asked about" in shown.out


async def test_a_read_that_no_rule_fits_is_allowed(policy: Path) -> None:
    shown = await check(policy, "look_up", {"word": "errand"})
    assert shown.out.startswith("allow: ")
    assert "no rule fits; a read that none fits is allowed" in shown.out


async def test_an_unknown_tool_ends_with_2_and_names_the_known_ones(policy: Path) -> None:
    shown = await check(policy, "send_emial", {})
    assert shown.code == 2
    assert "there is no tool send_emial; there are: " in shown.err
    assert "send_email" in shown.err


async def test_arguments_that_do_not_fit_end_with_1_and_those_that_are_no_object_with_2(policy: Path) -> None:
    unfit = await check(policy, "look_up", {"wrod": "errand"})
    assert unfit.code == 1
    assert "the arguments of look_up are not valid: " in unfit.err
    assert "word: Field required" in unfit.err
    assert (await check(policy, "look_up", ["errand"])).code == 2


@pytest.mark.parametrize("text", ["[[rule]]\nruling = 'perhaps'\n", "[[rule", None])
async def test_a_broken_or_missing_file_ends_with_2_and_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "broken.toml"
    if text is not None:
        file.write_text(text)
    shown = await check(file, "look_up", {"word": "errand"})
    assert shown.code == 2
    assert f"error: FILE: {file}: " in " ".join(shown.err.split())
