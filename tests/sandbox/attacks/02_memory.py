# expect: MLE
# limits: memory=64M
x = []
while True:
    x.append(bytearray(1 << 20))
