"""SQL texts that lie beside the code, and how values are spelled in them."""

from collections.abc import Mapping, Sequence
from importlib.resources import files


def statement(package: str, name: str) -> str:
    """Return the text of ``<name>.sql`` in a package."""
    return files(package).joinpath(f"{name}.sql").read_text()


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values where their names stand in braces; an earlier value may hold a later name."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def text_literal(value: str) -> str:
    """Quote a text for SQL."""
    return "'" + value.replace("'", "''") + "'"


def column_name(value: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + value.replace('"', '""') + '"'


def double(value: float) -> str:
    """Spell a float so that SQL reads the same double, a whole number as such.

    Only an exponent makes it no decimal. In a file it becomes a cast, which costs time to plan.
    """
    text = repr(float(value))
    if float(value).is_integer():
        return str(int(value))
    return text if "e" in text else f"{text}e0"


def doubles(values: Sequence[float]) -> str:
    """Spell a list of floats in SQL, to the last bit, as one constant."""
    return f"('{[float(value) for value in values]}'::DOUBLE[])"
