# verl: the reward function in its reward loop.
python -m verl.trainer.main_ppo \
  data.train_files=train.parquet data.val_files=test.parquet \
  actor_rollout_ref.model.path=Qwen/Qwen2.5-1.5B-Instruct \
  algorithm.adv_estimator=grpo actor_rollout_ref.rollout.n=8 \
  reward.custom_reward_function.path=pkg://verifier.adapters.verl \
  reward.custom_reward_function.name=compute_score \
  +reward.custom_reward_function.reward_kwargs.address=127.0.0.1:50051 \
  +reward.custom_reward_function.reward_kwargs.on_failure=zero

# The reward manager instead, which knows the prompt and whether an answer was cut:
#   reward.reward_manager.source=importlib
#   reward.reward_manager.name=TouchstoneRewardManager
#   reward.reward_manager.module.path=pkg://verifier.adapters.verl_manager
#   +reward.custom_reward_function.reward_kwargs.address=127.0.0.1:50051
