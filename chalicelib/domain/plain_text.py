"""HTML to plain text, for excerpts. Tag by tag as PocketBase 0.40.6 answers."""

from html.parser import HTMLParser


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_INLINE = _tags(
    "a abbr acronym b bdo big br cite code em embed i image img input label q small span strike"
    " strong sub sup time html head body"
)
_SKIPPED = _tags(
    "applet button dialog form iframe object option picture script select style svg template"
    " textarea"
)
_VOID = _tags(
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param"
    " source track wbr"
)
_OF_TABLES = _tags("caption col colgroup frame frameset tbody td tfoot th thead tr")
"""A browser drops these outside of a table."""


def of(html: str) -> str:
    """Return the text that `html` shows; block elements are set off by spaces."""
    reader = _Reader()
    reader.feed(html.replace("\0", ""))
    # `close` would hand over an unfinished tag as text; a browser shows nothing of it.
    rest = reader.rawdata
    if rest and not rest.startswith("<"):
        reader.close()
    elif rest[1:2] and not (rest[1].isalpha() or rest[1] in "/!?"):
        reader.handle_data(rest)
    return "".join(reader.chunks)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.chunks: list[str] = []
        self._skipping: list[str] = []
        self._tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping or tag in _SKIPPED:
            if tag not in _VOID:
                self._skipping.append(tag)
            return
        self._tables += tag == "table"
        self._space(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML has no self-closing tags: `<p/>` opens a paragraph.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag in self._skipping:
                del self._skipping[self._skipping.index(tag) :]
            return
        if tag not in _VOID:
            self._space(tag)
        self._tables = max(0, self._tables - (tag == "table"))

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.chunks.append(data)

    def _space(self, tag: str) -> None:
        if tag not in _INLINE and (self._tables or tag not in _OF_TABLES):
            self.chunks.append(" ")
