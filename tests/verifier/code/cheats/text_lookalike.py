# problem: yes_no
# flags:
# trick: Cyrillic and Greek letters that look like the right ones
n = int(input())
print("ΥЕЅ" if int(n**0.5) ** 2 == n else "ΝО")
