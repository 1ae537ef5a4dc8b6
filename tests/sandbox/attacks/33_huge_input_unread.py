# expect: EXIT0
# prints: 1
# stdin_bytes: 32M
# runs: 2
print(1)
