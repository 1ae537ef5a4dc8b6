"""SkyRL: in place of skyrl.train.entrypoints.main_base, with env_class "touchstone" in the rows."""

import sys

import ray
from skyrl.train.config import SkyRLTrainConfig
from skyrl.train.entrypoints.main_base import BasePPOExp, validate_cfg
from skyrl.train.utils import initialize_ray
from skyrl_gym.envs import register


@ray.remote(num_cpus=1)
def train(config):
    register(
        id="touchstone",
        entry_point="verifier.adapters.skyrl:TouchstoneEnv",
        kwargs={"address": "127.0.0.1:50051", "on_failure": "zero"},
    )
    BasePPOExp(config).run()


config = SkyRLTrainConfig.from_cli_overrides(sys.argv[1:])
validate_cfg(config)
initialize_ray(config)
ray.get(train.remote(config))
