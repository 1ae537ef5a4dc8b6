# problem: sum
import sys
lines = sys.stdin.readlines()
if int(lines[0]):
	print(sum(int(x) for x in lines[1].split()))
else:
	print("0")