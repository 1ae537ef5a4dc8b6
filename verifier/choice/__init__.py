"""Multiple choice: which option a response commits itself to."""
