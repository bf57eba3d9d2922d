"""The SQL of the contract: named files beside this one, with the shared constants filled in."""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from warehouse.contract.constants import sql_constants
from warehouse.statements import filled, statement

NOTHING: Mapping[str, str] = MappingProxyType({})


def contract_sql(name: str, values: Mapping[str, str] = NOTHING) -> str:
    """Return ``<name>.sql``; what ``values`` put in may hold names of constants itself."""
    return filled(statement("warehouse.contract", name), {**values, **sql_constants()})


def standalone_macros() -> list[str]:
    """Return the files in macros/ that create macros and need no values but the constants."""
    macros = files("warehouse.contract").joinpath("macros")
    names = sorted(f"macros/{file.name.removesuffix('.sql')}" for file in macros.iterdir())
    texts = {name: contract_sql(name) for name in names}
    return [
        name
        for name, text in texts.items()
        if re.search(r"^CREATE MACRO", text, re.M) and not re.search(r"\{[a-z_]+\}", text)
    ]
