"""The runbooks of docs/runbooks, shown in the frame of the console whose figure points to them.

They are written in a small part of Markdown: headings, paragraphs, lists, ``code``, **bold** and
links. Nothing else is understood, and nothing of it becomes HTML but by the template.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

FOLDER = Path(settings.BASE_DIR) / "docs" / "runbooks"
_CODE = re.compile(r"[a-z_]{1,40}", re.ASCII)
_ITEM = re.compile(r"(-|\d+\.) ")
_SPAN = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\[(?P<text>[^]]+)\]\((?P<url>[^)]+)\)"
)

Span = dict[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a list (ul, ol) of lines, each in spans."""

    kind: str
    lines: list[list[Span]]


def runbook(site: Any, request: HttpRequest, code: str) -> HttpResponse:
    """Show one runbook. :raises Http404: if there is none."""
    path = FOLDER / f"{code}.md"
    if not _CODE.fullmatch(code) or not path.is_file():
        raise Http404
    heading, _, rest = path.read_text(encoding="utf-8").partition("\n")
    context = {
        **site.each_context(request),
        "title": heading.removeprefix("# "),
        "blocks": list(blocks(rest)),
    }
    request.current_app = site.name
    return TemplateResponse(request, "admin/console/runbook.html", context)


def offer_runbooks(site: Any) -> None:
    """Give a console its runbook pages."""
    site.add_page("runbooks/<slug:code>/", partial(runbook, site), "runbook")


def blocks(text: str) -> Iterator[Block]:
    """Yield the parts of a page, in order."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.splitlines()
        if part.startswith("## "):
            yield Block("h2", [list(spans(lines[0][3:]))])
            lines = lines[1:]
        if not lines:
            continue
        found = _ITEM.match(lines[0])
        if found is None:
            yield Block("p", [list(spans(" ".join(line.strip() for line in lines)))])
            continue
        items: list[str] = []
        for line in lines:
            if marker := _ITEM.match(line):
                items.append(line[marker.end() :])
            else:
                items[-1] += " " + line.strip()
        kind = "ul" if found.group(1) == "-" else "ol"
        yield Block(kind, [list(spans(item)) for item in items])


def spans(line: str) -> Iterator[Span]:
    """Yield the spans of a line: ``kind`` and ``text``, for a link also ``url``."""
    end = 0
    for match in _SPAN.finditer(line):
        if match.start() > end:
            yield {"kind": "text", "text": line[end : match.start()]}
        if match["code"]:
            yield {"kind": "code", "text": match["code"]}
        elif match["bold"]:
            yield {"kind": "bold", "text": match["bold"]}
        else:
            yield {"kind": "link", "text": match["text"], "url": match["url"]}
        end = match.end()
    if end < len(line):
        yield {"kind": "text", "text": line[end:]}
