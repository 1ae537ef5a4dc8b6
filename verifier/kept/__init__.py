"""What is kept so that it need not be done again: in memory, and in files that processes share."""
