# problem: sorted
from heapq import heapify, heappop

input()
heap = [int(x) for x in input().split()]
heapify(heap)
result = []
while heap:
    result.append(heappop(heap))
print(str(result).strip("[]").replace(",", ""))
