"""SQL files next to the code, and literals for them."""

from collections.abc import Mapping, Sequence
from importlib.resources import files


def statement(package: str, name: str) -> str:
    """Return the text of ``<name>.sql`` in a package."""
    return files(package).joinpath(f"{name}.sql").read_text()


def filled(text: str, values: Mapping[str, str]) -> str:
    """Replace each ``{name}`` by its value; a value may contain names that come later."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def text_literal(value: str) -> str:
    """Quote a string for SQL."""
    return "'" + value.replace("'", "''") + "'"


def column_name(value: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + value.replace('"', '""') + '"'


def double(value: float) -> str:
    """Write a float so that SQL reads the same double; a whole number as an integer.

    Without an exponent SQL reads a DECIMAL. With one, a stored macro holds a cast, which costs
    planning time.
    """
    text = repr(float(value))
    if float(value).is_integer():
        return str(int(value))
    return text if "e" in text else f"{text}e0"


def doubles(values: Sequence[float]) -> str:
    """Write a list of floats as one SQL constant, bit-equal."""
    return f"('{[float(value) for value in values]}'::DOUBLE[])"
