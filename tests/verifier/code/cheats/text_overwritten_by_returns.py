# problem: yes_no
# flags:
# trick: carriage returns put one answer over the other
print("NO\rYES", end="\r")
