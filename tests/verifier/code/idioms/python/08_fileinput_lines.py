# problem: messy
import fileinput

total = 0
for line in fileinput.input():
    for word in line.split():
        total += int(word)
print(total)
