"""A secret is taken out of any text, in whatever form it stands there; what is no secret stays."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, SecretStr

from activities.redaction import REDACTED, SHORTEST, Secrets
from activities.settings.data_services import DataServices
from activities.settings.ledger import LedgerSettings
from activities.settings.mail import MailSettings
from tests.unit.execution.arbitrary import quick
from workflows.contract.internal import ToolResult

any_secrets = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=SHORTEST)


WAYS: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: quote(secret),
    lambda secret: quote_plus(secret),
    lambda secret: quote(secret, safe=""),
    lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    lambda secret: json.dumps(secret),
    lambda secret: json.dumps(secret, ensure_ascii=False),
    lambda secret: json.dumps(secret).replace("/", r"\/"),
    lambda secret: json.dumps(repr({"token": secret})),
    lambda secret: repr(secret),
]


def knowing(*secrets: str) -> Secrets:
    found = Secrets()
    found.add(*secrets)
    return found


class TestForms:
    @pytest.mark.parametrize("written", WAYS)
    @pytest.mark.parametrize("secret", ["sk-1234567", "p/:#%&+=?", "ä ö\"ü'\\", "123456", "x" * 500])
    def test_a_secret_is_found_however_it_is_written(self, secret: str, written: Callable[[str], str]) -> None:
        text = written(secret)
        assert REDACTED in knowing(secret).redact(f"before {text} after")
        assert text[1:-1] not in knowing(secret).redact(f"before {text} after")

    @quick
    @given(
        secret=any_secrets,
        before=st.binary(max_size=5),
        after=st.binary(max_size=5),
        alphabet=st.sampled_from(["+/", "-_"]),
    )
    def test_base64_hides_no_secret_whatever_stands_beside_it(
        self, secret: str, before: bytes, after: bytes, alphabet: str
    ) -> None:
        encoded = base64.b64encode(before + secret.encode() + after, alphabet.encode()).decode()
        left = knowing(secret).redact(encoded)
        assert REDACTED in left
        assert len(left.replace(REDACTED, "")) <= len(base64.b64encode(before + after)) + 4

    @quick
    @given(secret=any_secrets, text=st.text())
    def test_in_any_text_it_is_found_and_the_rest_stays(self, secret: str, text: str) -> None:
        secrets = knowing(secret)
        assert secret not in secrets.redact(f"{text} {secret}").replace(REDACTED, "")
        assume(secret not in text)
        assert secrets.redact(text) == text

    def test_of_two_the_longer_goes_first(self) -> None:
        secrets = knowing("hush-hush", "smtp://ann:hush-hush@mail.example.com")
        assert secrets.redact("at smtp://ann:hush-hush@mail.example.com: hush-hush") == f"at {REDACTED}: {REDACTED}"

    def test_one_of_fewer_than_six_characters_is_not_looked_for(self) -> None:
        assert knowing("12345", "   12345   ").redact("12345") == "12345"


class TestValues:
    def test_texts_and_names_are_redacted_at_any_depth(self) -> None:
        value: JsonValue = {"headers": [{"x-hush-hush": "Bearer hush-hush"}, 7, None, True]}
        clean = {"headers": [{f"x-{REDACTED}": f"Bearer {REDACTED}"}, 7, None, True]}
        assert knowing("hush-hush").redact_value(value) == clean

    def test_without_a_secret_it_is_the_very_same(self) -> None:
        secrets, message = knowing("hush-hush"), ToolResult(value="b", attempts=1)
        value: JsonValue = {"a": ["b"]}
        assert secrets.redact_value(value) is value
        assert secrets.redact_message(message, message.model_dump_json()) is message

    def test_JSON_stays_JSON_also_where_a_number_looks_like_a_secret(self) -> None:
        text = '{"created": 1712345678, "key": "is 123456", "123456": [NaN, "\\ud800"]}'
        clean = f'{{"created": 1712345678, "key": "is {REDACTED}", "{REDACTED}": [NaN, "\\ud800"]}}'
        assert knowing("123456").redact_json(text) == clean
        assert knowing("123456").redact_json('{"created": 1712345678') == f'{{"created": 17{REDACTED}78'
        assert knowing("123456").redact_json('{"created" :7}') == '{"created" :7}'

    def test_a_message_keeps_its_kind(self) -> None:
        message = ToolResult(value={"token": "hush-hush"}, attempts=2)
        assert knowing("hush-hush").redact_message(message, message.model_dump_json()) == ToolResult(
            value={"token": REDACTED}, attempts=2
        )


class Elsewhere(BaseModel):
    """A third party's settings."""

    token: SecretStr | None = None
    tokens: tuple[SecretStr, ...] = ()
    by_name: dict[str, SecretStr] = {}
    inner: DataServices | None = None
    url: str = ""
    name: str = "not-secret"


class TestSettings:
    @pytest.mark.parametrize(
        "settings",
        [
            Elsewhere(token=SecretStr("hush-hush")),
            Elsewhere(token=SecretStr(" hush-hush\n")),
            Elsewhere(tokens=(SecretStr("first-one"), SecretStr("hush-hush"))),
            Elsewhere(by_name={"x": SecretStr("hush-hush")}),
            Elsewhere(inner=DataServices(stocks_token=SecretStr("hush-hush"))),
            Elsewhere(token=SecretStr("https://example.com/hook?token=hush-hush")),
            Elsewhere(url="postgresql://ann:hush-hush@db.example.com/errand"),
            Elsewhere(url="postgresql://ann:hush%2Dhush@db.example.com/errand"),
            Elsewhere(url="postgresql://db.example.com/errand?user=ann&password=hush-hush"),
            Elsewhere(url="postgresql://ann:a/b@hush-hush@db.example.com/errand"),
            MailSettings(smtp_url=SecretStr("smtp://ann%40example.com:hush%2Dhush@mail.example.com")),
            LedgerSettings(ledger_url="postgresql://ann:hush-hush@db.example.com/errand"),
        ],
    )
    def test_every_secret_of_a_settings_object_is_known_and_every_password_in_a_URL(self, settings: BaseModel) -> None:
        secrets = Secrets()
        assert secrets.add_settings(settings) == ()
        assert secrets.redact("hush-hush, says not-secret") == f"{REDACTED}, says not-secret"

    @pytest.mark.parametrize("place", ["smtp+plain://127.0.0.1:1025", "smtp://mail.example.com:587/"])
    def test_where_something_is_is_no_secret(self, place: str) -> None:
        secrets = Secrets()
        secrets.add_settings(MailSettings(smtp_url=SecretStr(place)))
        assert secrets.redact(place) == place

    def test_a_secret_that_is_too_short_is_named(self) -> None:
        assert Secrets().add_settings(Elsewhere(token=SecretStr("12345"), tokens=(SecretStr("123456"),))) == ("token",)
        assert Secrets().add_settings(MailSettings(smtp_url=SecretStr("smtp://ann:abc@mail.example.com"))) == (
            "smtp_url",
        )


def test_a_secret_that_passes_is_redacted_until_it_is_forgotten_unless_it_is_one_for_good() -> None:
    secrets = knowing("lasting-1")
    for each in ("passing-1", "lasting-1", "passing-2"):
        secrets.add_passing(each)
    assert secrets.redact("passing-1 passing-2 lasting-1") == " ".join([REDACTED] * 3)
    for each in ("passing-1", "lasting-1"):
        secrets.forget(each)
    assert secrets.redact("passing-1 passing-2 lasting-1") == f"passing-1 {REDACTED} {REDACTED}"
