"""Read tables out of a page of docs/, so that tests hold code and page together."""

from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def tables(page: str) -> list[list[dict[str, str]]]:
    """Return every Markdown table of a page, in order, each row by column heading."""
    found: list[list[dict[str, str]]] = []
    heading: list[str] | None = None
    for line in page.splitlines():
        if not line.startswith("|"):
            heading = None
            continue
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if heading is None:
            heading = cells
            found.append([])
        elif set("".join(cells)) - set("-: "):
            found[-1].append(dict(zip(heading, cells, strict=True)))
    return found


def table(page: str, *headings: str, number: int = 0) -> list[dict[str, str]]:
    """Return the ``number``-th table of a page that has all these headings."""
    fitting = [rows for rows in tables(page) if rows and set(headings) <= set(rows[0])]
    return fitting[number]
