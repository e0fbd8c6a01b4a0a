"""What the environment says is read once; what is wrong in it is named by variable, and no secret is shown."""

from pathlib import Path

import pytest

from activities.errors import ConfigurationError
from activities.model.prices import Price
from activities.settings import Settings
from activities.settings.mail import SmtpServer
from workflows.contract.api import Usage


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing from the machine that runs the tests."""
    for name in Settings.fields():
        monkeypatch.delenv(f"ERRAND_{name.upper()}", raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()


class TestReading:
    def test_without_any_variable_there_are_the_defaults(self) -> None:
        settings = Settings.from_environment()
        assert settings.worker.task_queue == "errand"
        assert settings.model.openai_model is None
        assert settings.mail.smtp_server is None
        assert settings.tools.tools == ()

    def test_the_models_variables_have_no_prefix(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = read(
            monkeypatch, OPENAI_MODEL="m", OPENAI_BASE_URL="http://127.0.0.1:8080/v1", OPENAI_API_KEY="sk-1"
        )
        assert (settings.model.openai_model, settings.model.openai_base_url) == ("m", "http://127.0.0.1:8080/v1")
        assert settings.model.openai_api_key is not None
        assert settings.model.openai_api_key.get_secret_value() == "sk-1"

    def test_the_others_have_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = read(monkeypatch, ERRAND_TASK_QUEUE="q", ERRAND_POLICY="rules.toml", ERRAND_MODEL_TIMEOUT="2.5")
        assert (settings.worker.task_queue, settings.tools.policy, settings.model.model_timeout) == (
            "q",
            Path("rules.toml"),
            2.5,
        )

    def test_a_variable_set_to_nothing_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = read(monkeypatch, OPENAI_API_KEY="", ERRAND_SMTP_URL="", ERRAND_TOOLS="", ERRAND_MODEL_TIMEOUT="")
        assert (settings.model.openai_api_key, settings.mail.smtp_url, settings.tools.tools) == (None, None, ())

    @pytest.mark.parametrize("value", ["one two", "one,two", " one ,  two, ", "one\ntwo"])
    def test_several_values_are_separated_by_spaces_or_commas(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        settings = read(monkeypatch, ERRAND_TOOLS=value, ERRAND_ADDRESS_BOOK=value)
        assert settings.tools.tools == settings.tools.address_book == ("one", "two")

    @pytest.mark.parametrize("sender", ["me@example.com", "Errand <me@example.com>", "Bücher <mail@bücher.example>"])
    def test_a_sender_is_an_address_with_or_without_a_name(self, monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
        assert read(monkeypatch, ERRAND_MAIL_FROM=sender).mail.mail_from == sender

    def test_prices_are_per_million_tokens_by_model(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = read(monkeypatch, ERRAND_MODEL_PRICES="gpt-x=1.25/10, org/model:free=0/0")
        assert settings.model.model_prices == {
            "gpt-x": Price(1.25, 10),
            "org/model:free": Price(0, 0),
        }
        used = Usage(model_calls=1, input_tokens=2_000_000, output_tokens=100_000)
        assert settings.model.model_prices["gpt-x"].of(used).cost == 3.5

    def test_no_secret_is_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = read(
            monkeypatch,
            OPENAI_API_KEY="hush-1",
            ERRAND_STOCKS_TOKEN="hush-2",
            ERRAND_SMTP_URL="smtp://ann:hush-3@mail.example.com",
            ERRAND_LEDGER_URL="postgresql://ann:4-hush@db.example.com/errand",
        )
        dumped = settings.model_dump(exclude={"ledger": {"ledger_url"}})
        shown = f"{settings!r} {settings} {settings.mail.smtp_server!r} {dumped}"
        assert "hush" not in shown


class TestMistakes:
    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("ERRAND_POLLERS", "1"),
            ("ERRAND_WORKFLOW_SLOTS", "1"),
            ("ERRAND_ACTIVITY_SLOTS", "0"),
            ("ERRAND_STICKY_SECONDS", "0"),
            ("ERRAND_MODEL_TIMEOUT", "soon"),
            ("ERRAND_MODEL_TIMEOUT", "0"),
            ("ERRAND_MODEL_TIMEOUT", "-1"),
            ("ERRAND_MODEL_MAX_TOKENS", "many"),
            ("ERRAND_MODEL_PROFILE", "gpt"),
            ("ERRAND_MODEL_CALLING", "by phone"),
            ("ERRAND_MODEL_PRICES", "gpt-x"),
            ("ERRAND_MODEL_PRICES", "gpt-x=1"),
            ("ERRAND_MODEL_PRICES", "=1/2"),
            ("ERRAND_MODEL_PRICES", "gpt-x=1/-2"),
            ("ERRAND_MODEL_PRICES", "gpt-x=1/nan"),
            ("ERRAND_MODEL_PRICES", "gpt-x=1/2/3"),
            ("ERRAND_MODEL_PRICES", "a=b=1/2"),
            ("ERRAND_SMTP_URL", "mail.example.com:587"),
            ("ERRAND_SMTP_URL", "http://mail.example.com"),
            ("ERRAND_SMTP_URL", "smtp://"),
            ("ERRAND_SMTP_URL", "smtp://mail.example.com:99999"),
            ("ERRAND_SMTP_URL", "smtp://[::1"),
            ("ERRAND_SMTP_URL", "smtp+plain://mail.example.com:25"),
            ("ERRAND_MAIL_FROM", "foo"),
            ("ERRAND_MAIL_FROM", "Errand <>"),
            ("ERRAND_MAIL_FROM", "Errand me@example.com"),
            ("ERRAND_MAIL_FROM", "Errand <me@10.0.0.1>"),
            ("OPENAI_BASE_URL", "localhost:8080/v1"),
            ("OPENAI_BASE_URL", "127.0.0.1"),
            ("OPENAI_BASE_URL", "http://[::1"),
            ("OPENAI_BASE_URL", "http://localhost:port"),
            ("OPENAI_BASE_URL", "http://local host/"),
            ("ERRAND_WEATHER_URL", "ftp://example.com"),
            ("ERRAND_GEOCODING_URL", "https://"),
            ("ERRAND_STOCKS_URL", "/stocks"),
            ("OPENAI_API_KEY", "sk-1\n"),
            ("OPENAI_API_KEY", "sk–1"),
            ("ERRAND_STOCKS_TOKEN", "two words"),
        ],
    )
    def test_a_wrong_value_is_one_line_that_names_the_variable(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        with pytest.raises(ConfigurationError) as raised:
            read(monkeypatch, **{variable: value})
        assert str(raised.value).startswith(f"{variable}: ")
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize(
        "url",
        [
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite+pysqlite://",
            "sqlite:///?timeout=3",
            "sqlite:///:memory:",
            "sqlite:///file::memory:?cache=shared&uri=true",
            "sqlite:///file:ledger?mode=memory&uri=true",
        ],
    )
    def test_a_ledger_in_memory_is_refused_with_an_example(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        with pytest.raises(ConfigurationError, match=r"^ERRAND_LEDGER_URL: .*such as sqlite:////var/"):
            read(monkeypatch, ERRAND_LEDGER_URL=url)

    @pytest.mark.parametrize("url", ["sqlite:////srv/ledger.db", "sqlite:////srv/memory.db?timeout=3"])
    def test_a_ledger_in_a_file_is_taken(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        assert read(monkeypatch, ERRAND_LEDGER_URL=url).ledger.ledger_url == url

    @pytest.mark.parametrize(
        ("prices", "why"),
        [
            (
                "fake=1/2;x=1/2",
                "expected MODEL=INPUT/OUTPUT, .* and a space or comma before the next, not 'fake=1/2;x=",
            ),
            ("fake=1/2 other=1/1 fake=3/4", "it has two prices of the model fake; leave one of them$"),
            ("fake=1/2, fake=1/2", "it has two prices of the model fake; leave one of them$"),
        ],
    )
    def test_prices_that_do_not_say_one_for_each_model_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, prices: str, why: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=f"^ERRAND_MODEL_PRICES: {why}"):
            read(monkeypatch, ERRAND_MODEL_PRICES=prices)

    def test_an_unknown_profile_is_told_which_there_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ConfigurationError, match=r"'gpt'; the profiles are: .*openai.*ollama"):
            read(monkeypatch, ERRAND_MODEL_PROFILE="gpt")

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("OPENAI_API_KEY", "hush hush"),
            ("ERRAND_STOCKS_TOKEN", "hush\n"),
            ("ERRAND_SMTP_URL", "smpt://ann:hush@mail.example.com"),
            ("ERRAND_SMTP_URL", "smtp://ann:hush/hush@mail.example.com:587"),
            ("ERRAND_SMTP_URL", "smtp://ann:hu℀sh@mail.example.com:587"),
            ("ERRAND_SMTP_URL", "smtp://ann:hush@mail.example.com:hush"),
        ],
    )
    def test_a_wrong_value_that_is_secret_is_not_quoted(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=variable) as raised:
            read(monkeypatch, **{variable: value})
        assert "hu" not in str(raised.value).removeprefix(variable)


class TestSmtpServer:
    @pytest.mark.parametrize(
        ("url", "host", "port", "tls", "start_tls"),
        [
            ("smtp://mail.example.com", "mail.example.com", 587, False, True),
            ("smtp://mail.example.com:2525", "mail.example.com", 2525, False, True),
            ("smtps://mail.example.com", "mail.example.com", 465, True, False),
            ("smtp+plain://127.0.0.1:1025", "127.0.0.1", 1025, False, False),
            ("smtp+plain://[::1]:1025", "::1", 1025, False, False),
            ("smtp+plain://localhost", "localhost", 25, False, False),
        ],
    )
    def test_the_scheme_says_how_it_is_encrypted(
        self, url: str, host: str, port: int, tls: bool, start_tls: bool
    ) -> None:
        server = SmtpServer.from_url(url)
        assert (server.host, server.port, server.tls, server.start_tls) == (host, port, tls, start_tls)

    def test_user_and_password_are_decoded(self) -> None:
        server = SmtpServer.from_url("smtp://ann%40example.com:p%2F%3A%23@mail.example.com")
        assert server.username == "ann@example.com"
        assert server.password is not None
        assert server.password.get_secret_value() == "p/:#"

    @pytest.mark.parametrize("host", ["10.0.0.1", "mail.example.com", "localhost.example.com", "0.0.0.0"])
    def test_without_encryption_only_loopback_is_written_to(self, host: str) -> None:
        with pytest.raises(ValueError, match="only to loopback"):
            SmtpServer.from_url(f"smtp+plain://{host}:25")
