"""HTML that a model writes into a mail, held to what a mail may contain: text, tables, colours and links.

What a reader's program would run, fetch or send is taken out: scripts, forms, frames, images, styles that load. It is
taken out before anybody is asked, so that what is shown to a person is what goes out.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    import nh3

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "pre", "hr", "br", "ul", "ol", "li"),
    *("a", "abbr", "b", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup", "u"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
_ATTRIBUTES = {"*": {"style"}, "a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_STYLES = {
    *("color", "background-color", "border", "border-collapse", "border-spacing", "margin", "padding", "width"),
    *("font-family", "font-size", "font-style", "font-weight", "line-height", "white-space"),
    *("text-align", "text-decoration", "vertical-align"),
}
_LOADS = re.compile(r"url|expression|import|[\\@<]", re.IGNORECASE)
"""What stands in a style that fetches or runs something, or may hide that."""
_ROUNDS = 5


@cache
def _cleaner() -> "nh3.Cleaner":
    # Loaded with the first HTML, which few mails have: the library takes more than a megabyte.
    import nh3

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags={"script", "style", "title"},
        attributes=_ATTRIBUTES,
        attribute_filter=lambda tag, name, value: None if name == "style" and _LOADS.search(value) else value,
        url_schemes={"https", "http", "mailto"},
        url_relative="deny",
        link_rel=None,
        filter_style_properties=_STYLES,
    )


def harmless(html: str) -> str:
    """The same HTML without what a mail may not contain; what it gives it leaves as it is.

    Raises:
        ValueError: it is too long, or so contorted that nobody knows how a reader's program will take it.
    """
    if len(html) > 200_000:
        raise ValueError("must have at most 200,000 characters")
    for _ in range(_ROUNDS):
        html, before = _cleaner().clean(html), html
        if html == before:
            return html
    raise ValueError("is no HTML that can be sent; write plain paragraphs, lists and tables")


Html = Annotated[str, AfterValidator(harmless)]
