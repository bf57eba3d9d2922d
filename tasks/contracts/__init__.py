"""The contracts of the data: what comes in and what the stages hand each other, declared once.

`contract` says what a contract is, `inputs` and `lake` declare them, `rules` and `breaches` hold
tables and files to them, `document` writes docs/lake.md from them. `tasks.schemas` takes its
schemas from here.
"""

from tasks.contracts.breaches import breaches, hold
from tasks.contracts.contract import Column, Contract, Further
from tasks.contracts.lake import CONTRACTS

__all__ = ["CONTRACTS", "Column", "Contract", "Further", "breaches", "hold"]
