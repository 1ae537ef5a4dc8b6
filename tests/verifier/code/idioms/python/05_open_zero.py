# problem: messy
total = 0
for word in open(0).read().split():
    total += int(word)
print(total)
