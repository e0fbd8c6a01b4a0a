"""Deterministic code only.

Modules here import each other, pydantic, and of the SDK `temporalio.workflow`, `.common` and `.exceptions`; else only
the standard library. Whatever can differ between two deployments is decided in an activity and recorded.
"""
