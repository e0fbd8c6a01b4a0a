"""A secret may be a file, as containers get theirs: named like its variable, in the folder of ERRAND_SECRETS."""

from pathlib import Path

import pytest

from activities.redaction import REDACTED, redacted
from activities.settings import Settings


def test_a_setting_is_read_from_the_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_SECRETS", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "openai_api_key").write_text("sk-of-a-file\n")
    (tmp_path / "errand_ledger_url").write_text("postgresql://errand:of-a-file@db/errand\n")
    settings = Settings.from_environment()
    assert settings.model.openai_api_key is not None
    assert settings.model.openai_api_key.get_secret_value() == "sk-of-a-file"
    assert settings.ledger.ledger_url == "postgresql://errand:of-a-file@db/errand"
    assert redacted("no such key: sk-of-a-file") == f"no such key: {REDACTED}"


def test_a_variable_goes_before_the_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_SECRETS", str(tmp_path))
    monkeypatch.setenv("ERRAND_TASK_QUEUE", "of-the-variable")
    (tmp_path / "errand_task_queue").write_text("of-the-file")
    assert Settings.from_environment().worker.task_queue == "of-the-variable"
