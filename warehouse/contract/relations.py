"""The relations of the contract."""

from warehouse.contract.sql import contract_sql


def relations() -> list[str]:
    """Names of the relations of the contract, in the order of docs/warehouse.md."""
    return [
        line.split()[2]
        for line in contract_sql("views").splitlines()
        if line.startswith("CREATE VIEW")
    ]
