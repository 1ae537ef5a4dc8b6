"""The pieces of test generation (verifier/code/generate.py has the control flow)."""
