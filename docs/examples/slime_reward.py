"""slime: --custom-rm-path slime_reward.custom_rm, with --group-rm or without"""

from verifier.adapters.slime import for_service

custom_rm = for_service("127.0.0.1:50051", on_failure="zero")
