"""HTML and SVG from Python. What is not made by `tag` is text, and escaped."""

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already."""


Content = str | None
"""A piece of a page: `Html` as it is, other text escaped, None left out."""


def tag(name: str, *content: Content | Iterable[Content], **attributes: str | float | None) -> Html:
    """An element. An attribute `class_` is `class`, `data_at` is `data-at`; one that is None is left out, an
    empty text is an attribute without a value."""
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    inner = joined(*content)
    return Html(f"<{name}{given}>" if name in _EMPTY else f"<{name}{given}>{inner}</{name}>")


_EMPTY = ("meta",)


def table(name: str, columns: Iterable[str], rows: Iterable[Iterable[Content]]) -> Html:
    """A table that scrolls if it is too wide; the first cell of a row names it."""
    head = tag("tr", [tag("th", each, scope="col") for each in columns])
    body = [
        tag("tr", tag("th", first, scope="row"), [tag("td", each) for each in rest]) for first, *rest in rows
    ]
    inner = tag("table", tag("thead", head), tag("tbody", body))
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=name)


def joined(*content: Content | Iterable[Content]) -> Html:
    """Pieces one after the other."""
    return Html("".join(map(_piece, content)))


def _piece(content: Content | Iterable[Content]) -> str:
    match content:
        case None:
            return ""
        case Html():
            return content
        case str():
            return escape(content, quote=False)
        case _:
            return "".join(map(_piece, content))


def _attribute(key: str, value: str | float) -> str:
    name = key.rstrip("_").replace("_", "-")
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{escape(text)}"' if text else f" {name}"
