# problem: deep
import sys

sys.setrecursionlimit(10**9)
visited = []


def visit(node, last):
    visited.append(node)
    if node < last:
        visit(node + 1, last)


visit(1, int(input()))
print(sum(visited))
