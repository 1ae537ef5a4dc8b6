"""verifiers up to 0.2, and prime-rl: an environment with our rubric."""

import verifiers as vf
from datasets import load_dataset

from verifier.adapters.verifiers_rubric import TouchstoneRubric


def load_environment():
    return vf.SingleTurnEnv(
        dataset=load_dataset("json", data_files="train.jsonl", split="train"),
        rubric=TouchstoneRubric("127.0.0.1:50051", recipe="r1_zero"),
    )
