"""Files of contacts as people have them, and broken ones."""

from pathlib import Path

import pytest

from activities.contacts.book import Contact, book_of
from activities.contacts.entry import Unreadable

GOOGLE = """First Name,Last Name,Organization Name,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value
Ann,Müller,"Acme, Inc.",Work,ann@example.com ::: a.m@example.com,ann@home.test
Bob,Builder,,,,
"""
OUTLOOK = """"First Name";"Middle Name";"Last Name";"Company";"E-mail Address";"E-mail Type";"E-mail 2 Address"\r
"Ann";"B.";"Müller";"Acme";"ann@example.com";"SMTP";"/o=ExchangeLabs/cn=ann"\r
"""
VCARD_3 = """BEGIN:VCARD
VERSION:3.0
N:Müller;Ann;;;
FN:Ann Müller
ORG:Acme\\, Inc.;Sales
NICKNAME:Annie,Nan
item1.EMAIL;type=INTERNET;type=pref:ann@example.com
item1.X-ABLabel:_$!<HomePage>!$_
NOTE:one\\ntwo
PHOTO;ENCODING=b;TYPE=JPEG:AAAA
 BBBB
END:VCARD

BEGIN:VCARD
VERSION:3.0
N:Builder;Bob
EMAIL:bob@corp.
 test
END:VCARD
"""
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD\n"
VCARD_4 = """BEGIN:VCARD\r
VERSION:4.0\r
KIND:org\r
ORG:Acme;Sales\r
GEO:geo:37.38,-122.08\r
EMAIL;PREF=1;TYPE="work,x":desk@acme.test\r
END:VCARD\r
"""


def read(folder: Path, name: str, content: str | bytes) -> list[Contact]:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [*book_of(file).contacts]


@pytest.mark.parametrize("head", ["name,email", "Name;E-Mail", "Full name\tE-mail address", "\ufeffNAME,mail"])
def test_a_table_as_people_write_one(tmp_path: Path, head: str) -> None:
    """Whatever divides its cells, and whatever case its columns are in."""
    divider = next(each for each in ",;\t" if each in head)
    text = f'{head}\n"Müller, Ann"{divider}ann@example.com\n\nBob{divider}\n'
    assert read(tmp_path, "c.csv", text) == [
        Contact("Müller, Ann", "", ("ann@example.com",)),
        Contact("Bob", "", ()),
    ]


def test_a_table_as_google_exports_it(tmp_path: Path) -> None:
    assert read(tmp_path, "c.csv", GOOGLE) == [
        Contact("Ann Müller", "Acme, Inc.", ("ann@example.com", "a.m@example.com", "ann@home.test")),
        Contact("Bob Builder", "", ()),
    ]


def test_a_table_as_outlook_exports_it(tmp_path: Path) -> None:
    """What is an address only within an Exchange server is left out."""
    assert read(tmp_path, "c.csv", OUTLOOK) == [Contact("Ann B. Müller", "Acme", ("ann@example.com",))]


def test_cards_as_a_telephone_exports_them(tmp_path: Path) -> None:
    """With groups, folded lines and pictures; one without a formatted name has that of its parts."""
    assert read(tmp_path, "c.vcf", VCARD_3) == [
        Contact("Ann Müller", "Acme, Inc.", ("ann@example.com",), "Annie,Nan"),
        Contact("Bob Builder", "", ("bob@corp.test",)),
    ]


def test_cards_of_version_4(tmp_path: Path) -> None:
    assert read(tmp_path, "c.VCF", VCARD_4) == [Contact("Acme", "Acme", ("desk@acme.test",))]


def test_what_is_escaped_in_a_name_divides_nothing_and_a_links_scheme_has_any_case(tmp_path: Path) -> None:
    properties = ("N:van\\;Dam;Ann\\, B.;;;", "ORG:Acme\\; Sons\\, Inc;Sales", "EMAIL:MAILTO:ann@example.com", "")
    card = CARD.replace("FN:Ann\n", "\n".join(properties))
    assert read(tmp_path, "c.vcf", card) == [Contact("Ann, B. van;Dam", "Acme; Sons, Inc", ("ann@example.com",))]


def test_who_is_there_twice_is_there_once(tmp_path: Path) -> None:
    assert len(read(tmp_path, "c.csv", "name,email\nAnn,ann@example.com\nAnn,ann@example.com\n")) == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("c.csv", "", "line 1: the file is empty"),
        ("c.csv", "ann@example.com\n", "line 1: no column is called name"),
        ("c.csv", "name,telephone\n", "line 1: no column is called email"),
        ("c.csv", 'name,email\nAnn,"a\nb"\nBob,b@example.com,x\n', "line 4: it has 3 cells"),
        ("c.csv", 'name,email\nAnn,"a@example.com\n', "line 2: it is no table"),
        ("c.csv", "name,email\nJörg,j@example.com\n".encode("latin-1"), "line 2: it is not UTF-8"),
        ("c.vcf", f"{CARD}Ann", "line 5: a card begins with"),
        ("c.vcf", f"{CARD}BEGIN:VCARD\nFN:Bob\n", "line 5: the card that begins here has no END"),
        ("c.vcf", f"{CARD}BEGIN:VCARD\nFN:Bob\nBEGIN:VCARD\n", "line 7: a card begins with"),
        ("c.vcf", f"{CARD}BEGIN:VCARD\nNOTE:a\n b\nnonsense\n", 'line 8: "nonsense" is no line of a card'),
        ("c.vcf", "BEGIN:VCARD\nVERSION:2.1\n", "line 2: vCard 2.1 is not read; export it"),
        ("c.vcf", "BEGIN:VCARD\nEMAIL;INTERNET:a@b.test\n", 'line 2: "EMAIL;INTERNET:a@b.test" is no line'),
        ("c.txt", "", "its name must end in one of .csv, .vcf, .vcard"),
    ],
)
def test_a_broken_file_is_one_line_that_names_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, why: str
) -> None:
    with pytest.raises(Unreadable) as error:
        read(tmp_path, name, content)
    [line] = str(error.value).splitlines()
    assert line.startswith(str(tmp_path / name))
    assert why in line


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"c\.csv: No such file"):
        book_of(tmp_path / "c.csv")


PEOPLE = """name,email,company
Ann Müller,ann@example.com,Acme
Anna Miller,anna@example.com,
José-María O'Neill,jose@example.com,Acme
Ann Builder,builder@example.com,Böll GmbH
"""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Ann", ["ann", "builder"]),
        ("ANN MULLER", ["ann"]),
        ("müller ann", ["ann"]),
        ("An", ["ann", "anna", "builder"]),
        ("ann at Acme", []),
        ("Ann Acme", ["ann"]),
        ("acme", ["ann", "jose"]),
        ("jose maria o'neill", ["jose"]),
        ("M Ann", ["ann", "anna"]),
        ("nn", []),
        ("", []),
        ("?", []),
    ],
)
def test_whom_a_name_may_mean(tmp_path: Path, name: str, found: list[str]) -> None:
    """Everybody who has all its words; where nobody has, everybody whose words begin so."""
    read(tmp_path, "c.csv", PEOPLE)
    assert [each.addresses[0].partition("@")[0] for each in book_of(tmp_path / "c.csv").find(name)] == found
