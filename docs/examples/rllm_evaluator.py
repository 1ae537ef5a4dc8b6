"""rLLM: an evaluator; called as a function it is a reward function of the older interface."""

from verifier.adapters.rllm import TouchstoneEvaluator

evaluator = TouchstoneEvaluator("127.0.0.1:50051", on_failure="zero")
