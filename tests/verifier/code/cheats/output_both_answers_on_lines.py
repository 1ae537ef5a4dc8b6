# problem: yes_no
# flags:
# trick: one answer a line
print("YES\nNO")
