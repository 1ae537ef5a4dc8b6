"""Who may ask, how much, and over which lines: tokens, quotas, TLS (docs/security.md)."""
