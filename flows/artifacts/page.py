"""A page of Markdown in the Prefect UI."""

from prefect.artifacts import create_markdown_artifact

from flows.runs import best_effort


def show(key: str, markdown: str, description: str) -> None:
    """Put a page on the current run; each run adds a version under the same key."""
    with best_effort(f"the page {key}"):
        create_markdown_artifact(key=key, markdown=markdown, description=description)
