"""DeepSeek-R1's training as a plain sequence of stages (arXiv 2501.12948v2, section 3 and B.3).

config.py      what r1.toml says: models, data, the service, and the stages in their order
run.py         the sequence, top to bottom: what is done, what is stale, what comes next
manifest.py    what a stage was made from and what it made, by hash
stage.py       what all stages have in common, and what they are given to work with
stages/        one module for each kind of stage
"""
