# problem: yes_no
# flags:
# trick: half of the tests are right by luck
print("YES")
