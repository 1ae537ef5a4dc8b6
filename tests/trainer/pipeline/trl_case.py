"""Run by TRL's interpreter: its SFTTrainer on a curated file. Prints what it made of the rows.

python tests/trainer/pipeline/trl_case.py MODEL FILE
"""

import json
import sys
import tempfile

from datasets import load_dataset  # type: ignore[import-not-found, unused-ignore]
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found, unused-ignore]


def main(model: str, file: str) -> None:
    kind = "parquet" if file.endswith(".parquet") else "json"
    with tempfile.TemporaryDirectory() as folder:
        rows = load_dataset(kind, data_files=file, split="train", cache_dir=f"{folder}/cache")
        tokenizer = AutoTokenizer.from_pretrained(model)
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(model),
            args=SFTConfig(
                output_dir=folder, max_steps=2, per_device_train_batch_size=2, use_cpu=True,
                report_to="none", save_strategy="no", max_length=None, logging_steps=1,
                disable_tqdm=True,
            ),
            train_dataset=rows,
            processing_class=tokenizer,
        )  # fmt: skip
        texts = [tokenizer.decode(row["input_ids"]) for row in trainer.train_dataset]
        losses = [trainer.train().training_loss]
    print(json.dumps({"texts": texts, "losses": losses}))


if __name__ == "__main__":
    main(*sys.argv[1:])
