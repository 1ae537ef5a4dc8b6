"""OpenRLHF: --reward.remote_url openrlhf_reward.py"""

from verifier.adapters.openrlhf import for_service

reward_func = for_service("127.0.0.1:50051", on_failure="zero")
