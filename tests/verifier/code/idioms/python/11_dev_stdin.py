# problem: copy
with open("/dev/stdin", "rb") as source, open("/dev/stdout", "wb") as target:
    target.write(source.read())
