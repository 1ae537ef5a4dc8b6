"""Engines that sample completions: the trainer's own model, or a server of SGLang or vLLM."""
