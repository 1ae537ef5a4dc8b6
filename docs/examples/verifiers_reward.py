"""verifiers from 0.3, and prime-rl: fn = "verifiers_reward:touchstone" in [task.rewards.touchstone]

In a task of one's own:

    @vf.reward(weight=1.0)
    async def correct(self, task, trace):
        return await touchstone(task, trace)
"""

from verifier.adapters.verifiers_reward import for_service

touchstone = for_service("127.0.0.1:50051")
