"""docs/configuration.md is held to the settings."""

from activities.settings import Settings
from activities.settings.environment import variable
from deploy.service.configuration import PAGE, table, with_table
from deploy.web import configuration as door
from deploy.web.settings import WebSettings


def test_the_page_has_the_table_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table() in page
    assert with_table(page) == page


def test_every_setting_has_its_row_with_a_description() -> None:
    rows = {row.split("`")[1]: row for row in table().splitlines()[2:]}
    assert rows.keys() == {variable(name) for name in Settings.fields()}
    assert [name for name, field in Settings.fields().items() if not field.description] == []


def test_a_table_that_is_out_of_date_is_written_anew() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page.replace("ERRAND_POLLERS", "ERRAND_OLD")) == page


def test_the_page_has_the_doors_table_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert door.with_table(page) == page
    assert [name for name, field in WebSettings.model_fields.items() if not field.description] == []
