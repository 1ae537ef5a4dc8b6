"""Code verdicts: programs run in the sandbox, their output compared here."""
