# Spellings of numbers come out as they were written.
# expect: EXIT0
# prints: nan inf 1e400 0x1p3 \xd9\xa1 1_000 -0 +1 1e-400
print("nan inf 1e400 0x1p3 \u0661 1_000 -0 +1 1e-400")
