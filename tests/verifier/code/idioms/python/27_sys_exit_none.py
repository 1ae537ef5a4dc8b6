# problem: first
import sys


def main():
    print(int(sys.stdin.readline()) ** 2)
    return 0


sys.exit(main())
