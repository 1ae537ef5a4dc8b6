# problem: pairs
import sys
from concurrent.futures import ThreadPoolExecutor

lines = sys.stdin.read().splitlines()
with ThreadPoolExecutor(max_workers=8) as pool:
    for result in pool.map(lambda line: max(map(int, line.split())), lines[1 : int(lines[0]) + 1]):
        print(result)
