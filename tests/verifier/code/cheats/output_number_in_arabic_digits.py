# problem: sum_pair
# flags:
# trick: the right value in digits of another script
a, b = map(int, input().split())
print(str(a + b).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")))
