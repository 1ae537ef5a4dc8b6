"""torchtitan: the rubric of a rollouter's configuration."""

from torchtitan.experiments.rl.rubrics import Rubric

from verifier.adapters.torchtitan import Touchstone

rubric = Rubric.Config(
    reward_fns=[Touchstone.Config(address="127.0.0.1:50051", options={"on_failure": "zero"})]
)
