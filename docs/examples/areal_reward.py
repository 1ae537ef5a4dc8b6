"""AReaL: reward_fn="areal_reward.reward_fn" in the keywords of areal.workflow.rlvr.RLVRWorkflow."""

from verifier.adapters.areal import RewardFn

reward_fn = RewardFn("127.0.0.1:50051", columns={"math": "answer"})
