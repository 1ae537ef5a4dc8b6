"""Verdicts kept with their items, and scored again: see docs/audit.md."""
