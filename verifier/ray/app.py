"""The Serve application: how many replicas, where, and how much each may be asked at once.

`build` is also the import path for Ray's own tools and KubeRay (docs/ray.md).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ray import serve

from verifier.judge.settings import load
from verifier.ray.ingress import APPLICATION
from verifier.ray.replica import Replica
from verifier.settings import Settings

CALLS_PER_REPLICA = 2
"""Calls under way to each replica on average that Ray's autoscaler aims at: one keeps the cores
busy, one is there when it ends, and what is more would have been done sooner elsewhere."""

CALLS_AT_ONCE = 64
"""Calls under way in one replica at most: sixteen clients with four each. What they hold is
bounded by the replica itself, in items; calls beyond wait in Ray's proxies."""

CALLS_WAITING = 256
"""Calls that wait in each proxy at most; beyond, RESOURCE_EXHAUSTED at once."""

UPSCALE_SECONDS = 10.0
"""How long calls must have been too many: a trainer's step is that of seconds, a peak is not."""

DOWNSCALE_SECONDS = 300.0
"""How long they must have been few: a trainer generates for minutes between two steps."""

FILES = frozenset({"tokens", "cache"})
"""Settings that are paths."""

HEALTH_SECONDS, HEALTH_TIMEOUT_SECONDS = 5.0, 20.0
"""Between two looks of Ray at a replica, and how long it may be silent: what runs there shares its
cores with programs under test."""


@dataclass(frozen=True)
class Scale:
    """How many replicas there are, and how large each is."""

    replicas_min: int = 1
    replicas_max: int = 1
    cpus: int = 1
    """Of each replica: Ray keeps so many for it on one node, and it has as many slots."""


def application(settings: Settings, scale: Scale) -> serve.Application:
    """What `serve.run` takes."""
    deployment = serve.deployment(
        Replica,
        name="Verifier",
        ray_actor_options={"num_cpus": scale.cpus},
        max_ongoing_requests=CALLS_AT_ONCE,
        max_queued_requests=CALLS_WAITING,
        health_check_period_s=HEALTH_SECONDS,
        health_check_timeout_s=HEALTH_TIMEOUT_SECONDS,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=settings.grace_seconds,
        autoscaling_config={
            "min_replicas": scale.replicas_min,
            "initial_replicas": scale.replicas_min,
            "max_replicas": scale.replicas_max,
            "target_ongoing_requests": CALLS_PER_REPLICA,
            "upscale_delay_s": UPSCALE_SECONDS,
            "downscale_delay_s": DOWNSCALE_SECONDS,
        },
    )
    return deployment.bind(settings)


def build(arguments: dict[str, Any]) -> serve.Application:
    """The application from the `args` of a Serve configuration: fields of Settings and of Scale,
    files as paths, the judge's too. Raises ValueError at others, SettingsError at a judge's file
    that cannot be used."""
    known = {field.name for field in fields(Scale)}
    scale = {key: value for key, value in arguments.items() if key in known}
    rest = {key: value for key, value in arguments.items() if key not in known}
    for file in FILES & rest.keys():
        rest[file] = Path(rest[file])
    if "judge" in rest:
        rest["judge"] = load(Path(rest["judge"]))
    try:
        size = Scale(**scale)
        return application(Settings(**{"slots": size.cpus, **rest}), size)
    except TypeError as error:
        raise ValueError(f"args of {APPLICATION}: {error}") from error
