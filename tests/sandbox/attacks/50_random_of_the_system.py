# expect: EXIT0
# differs: yes
# runs: 3
# submissions: 3
import os
import secrets
import uuid

print(os.urandom(8).hex(), secrets.token_hex(8), uuid.uuid4())
