"""The SQL of the contract: named files beside this one, with the shared constants filled in."""

from collections.abc import Mapping
from types import MappingProxyType

from warehouse.contract.constants import sql_constants
from warehouse.statements import filled, statement

NOTHING: Mapping[str, str] = MappingProxyType({})


def contract_sql(name: str, values: Mapping[str, str] = NOTHING) -> str:
    """Return ``<name>.sql``; what ``values`` put in may hold names of constants itself."""
    return filled(statement("warehouse.contract", name), {**values, **sql_constants()})
