# problem: vocabulary
# flags:
# trick: every word as often as it stands there, for comparisons by set
print(*input().split(), sep="\n")
