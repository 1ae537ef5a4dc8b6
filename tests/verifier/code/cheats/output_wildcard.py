# problem: yes_no
# flags:
# trick: patterns that match every text
print("(YES|NO|.*|%s|*|\\w+)")
