# expect: EXIT0
# differs: yes
# runs: 3
# submissions: 2
import random
import tempfile

print(random.sample(range(10**9), 3), next(tempfile._get_candidate_names()))
