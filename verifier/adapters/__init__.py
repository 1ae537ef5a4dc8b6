"""Rewards for other people's trainers, one module for each; docs/adapters.md has the table."""
