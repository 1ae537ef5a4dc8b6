# expect: EXIT1
# never_prints: reached
def f(n):
    return f(n + 1) + 1


f(0)
print("reached")
