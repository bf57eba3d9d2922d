"""Evaluation: held-out listeners, metrics, learned blend weights and the gate.

What is published is measured on listeners it has not seen; what is chosen by measurement is chosen
on one half of them and reported on the other. docs/evaluation.md tells the protocol.
"""
