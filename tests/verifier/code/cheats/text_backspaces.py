# problem: yes_no
# flags:
# trick: takes a wrong answer back with backspaces
print("NO\b\bYES")
