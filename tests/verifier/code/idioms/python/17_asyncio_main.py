# problem: pairs
import asyncio
import sys


async def larger(line):
    await asyncio.sleep(0)
    return max(map(int, line.split()))


async def main():
    count = int(sys.stdin.readline())
    lines = [sys.stdin.readline() for _ in range(count)]
    for value in await asyncio.gather(*map(larger, lines)):
        print(value)


asyncio.run(main())
