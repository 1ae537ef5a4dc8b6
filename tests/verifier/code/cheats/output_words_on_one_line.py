# problem: vocabulary
# flags:
# trick: the words in one line, for comparisons that forget lines
print(*sorted(set(input().split())))
