"""What this process has asked judges, for Prometheus; names and labels are part of the contract.

`endpoint` is the base URL of an endpoint.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "touchstone_judge_requests",
    "Requests sent, by endpoint and outcome: ok, or the kind of failure.",
    ("endpoint", "outcome"),
)
TOKENS = Counter(
    "touchstone_judge_tokens",
    "Tokens that endpoints said they used, by side: prompt or completion.",
    ("endpoint", "side"),
)
COST = Counter("touchstone_judge_cost_usd", "US dollars, by the prices told.", ("endpoint",))
CACHE_HITS = Counter(
    "touchstone_judge_cache_hits",
    "Questions answered without a request of theirs, by source: kept or merged.",
    ("source",),
)
IN_FLIGHT = Gauge(
    "touchstone_judge_in_flight",
    "Requests out now.",
    ("endpoint",),
    multiprocess_mode="livesum",
)
BREAKER = Gauge(
    "touchstone_judge_breaker",
    "Breaker at the last request: 0 closed, 1 half-open, 2 open.",
    ("endpoint",),
    multiprocess_mode="livemax",
)
LATENCY = Histogram(
    "touchstone_judge_latency_seconds",
    "From sending a request to the last byte of its answer, or to its failure.",
    ("endpoint",),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250),
)
