"""The page of capabilities says what the adapters declare."""

from pathlib import Path

from brokers.capability_page import markdown

PAGE = Path(__file__).parents[2] / "docs" / "capabilities.md"


def test_the_page_is_what_the_adapters_declare() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `manage.py capabilities`"
