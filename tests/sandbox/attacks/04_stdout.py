# expect: OLE
# limits: output=100K
while True:
    print("x" * 100_000)
