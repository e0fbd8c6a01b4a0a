"""find_contact, on files as they are and as they become."""

import asyncio
from pathlib import Path

import pytest

from activities.contacts import book
from activities.errors import ConfigurationError, NotFound, ServiceUnavailable
from activities.execution.tool_results import tool_result
from activities.model.grounding import Heard, ungrounded
from activities.settings import Settings
from activities.toolkit.catalogue import Catalogue
from activities.toolkit.tool import tool_of
from activities.tools.compose_email import compose_email
from activities.tools.contacts import MOST, ContactsSettings, FoundContacts, find_contact
from workflows.contract.conversation import AssistantEntry, ToolCallRecord, ToolMessage, UserEntry
from workflows.contract.internal import ModelInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "contacts.csv"
    file.write_text("name,email\nAnn Miller,ann@example.com\nAnn Lee,lee@corp.test\nBob,\n")
    return file


def found(file: Path, name: str) -> FoundContacts:
    return find(ContactsSettings(contacts=file), name)


def find(settings: ContactsSettings, name: str) -> FoundContacts:
    return asyncio.run(find_contact(name, settings=settings))


def names(answer: FoundContacts) -> list[str]:
    return [each.name for each in answer.contacts]


def test_a_name_becomes_every_address_that_it_may_mean(file: Path) -> None:
    contacts = found(file, "ann").contacts
    assert [(each.name, each.addresses) for each in contacts] == [
        ("Ann Miller", ("ann@example.com",)),
        ("Ann Lee", ("lee@corp.test",)),
    ]


def test_nobody_is_a_clear_failure(file: Path) -> None:
    with pytest.raises(NotFound, match="nobody in the contacts is called 'Eve'"):
        found(file, "Eve")
    with pytest.raises(NotFound, match="Bob is in the contacts, but without an address that mail can be sent to"):
        found(file, "Bob")


def test_of_very_many_the_first_are_returned(file: Path) -> None:
    file.write_text("name,email\n" + "".join(f"Ann {n},ann{n}@example.com\n" for n in range(MOST + 5)))
    answer = found(file, "Ann")
    assert (len(answer.contacts), answer.left_out) == (MOST, 5)


def test_mail_may_go_to_an_address_that_was_found_and_to_no_other(file: Path) -> None:
    """In the copies and for replies as well as to the recipient."""
    result = tool_result(found(file, "Ann"), attempt=1)
    call = ToolCallRecord(tool="find_contact", arguments={"name": "Ann"}, told=ToolMessage(value=result.value))
    said = ModelInput(conversation=(UserEntry(text="Mail Ann"), AssistantEntry(turn=1, calls=(call,))))
    heard = Heard.of(said, ())
    tool = tool_of(compose_email)
    assert tool is not None
    for field in ("to", "cc", "bcc", "reply_to"):
        assert ungrounded(tool, {field: ["ann@example.com"]}, heard) == ()
        assert ungrounded(tool, {field: ["anne@example.com"]}, heard) == ("anne@example.com",)


def test_a_file_is_read_once_and_anew_when_it_has_changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    read = book.csv_entries

    def counted(text: str) -> object:
        texts.append(text)
        return read(text)

    monkeypatch.setattr(book, "READERS", {".csv": counted})
    settings = ContactsSettings(contacts=file)
    for _ in range(3):
        find(settings, "Ann")
    assert len(texts) == 1
    file.write_text("name,email\nAnn New,new@example.com\n")
    assert names(find(settings, "Ann")) == ["Ann New"]
    replaced = file.with_name("other.csv")
    replaced.write_text("name,email\nAnn Two,two@example.com\n")
    replaced.replace(file)
    assert names(find(settings, "Ann")) == ["Ann Two"]
    assert len(texts) == 3


def test_a_file_that_breaks_later_is_tried_again(file: Path) -> None:
    """Somebody may be saving it; the error says what is wrong with it."""
    settings = ContactsSettings(contacts=file)
    file.write_text("name,email\nAnn,ann@example.com,x\n")
    with pytest.raises(ServiceUnavailable, match=r"contacts\.csv, line 2: it has 3 cells"):
        find(settings, "Ann")
    file.unlink()
    with pytest.raises(ServiceUnavailable, match=r"contacts\.csv: No such file"):
        find(settings, "Ann")


class TestAtTheStart:
    def test_without_the_setting_it_is_not_offered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ERRAND_CONTACTS", raising=False)
        assert Catalogue.load(Settings.read()).unconfigured["find_contact"] == ("ERRAND_CONTACTS",)

    def test_with_it_it_is(self, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
        monkeypatch.setenv("ERRAND_CONTACTS", str(file))
        assert "find_contact" in Catalogue.load(Settings.read()).tools

    def test_a_broken_file_ends_a_worker_with_the_place(self, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
        file.write_text("name,telephone\n")
        monkeypatch.setenv("ERRAND_CONTACTS", str(file))
        with pytest.raises(ConfigurationError, match=r"^ERRAND_CONTACTS: .*contacts\.csv, line 1: no column .* email"):
            Catalogue.load(Settings.read())
