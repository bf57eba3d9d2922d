"""The contracts of the data: what comes in and what the stages hand each other, declared once.

`contract` says what a contract is, `inputs` and `stages` declare them, `rules` and `breaches` hold
tables and files to them, `document` writes docs/lake.md from them.
"""
