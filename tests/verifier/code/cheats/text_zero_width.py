# problem: yes_no
# flags:
# trick: both answers with characters of no width between them
print("YES\u200b\u2060\ufeffNO")
