"""NeMo-RL: import this before the environments are made.

env: {touchstone: {address: "127.0.0.1:50051", on_failure: zero}}      in the run's YAML
"""

import ray
from nemo_rl.distributed.ray_actor_environment_registry import ACTOR_ENVIRONMENT_REGISTRY
from nemo_rl.distributed.virtual_cluster import PY_EXECUTABLES
from nemo_rl.environments.utils import register_env

from verifier.adapters.nemo_rl import TouchstoneEnvironment

Environment = ray.remote(TouchstoneEnvironment)
ACTOR_ENVIRONMENT_REGISTRY[f"{__name__}.Environment"] = PY_EXECUTABLES.SYSTEM
register_env("touchstone", f"{__name__}.Environment")
