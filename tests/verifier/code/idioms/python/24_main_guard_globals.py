# problem: words
import sys

counts = {}


def add(word):
    global counts
    counts[word] = counts.get(word, 0) + 1


def main():
    for line in sys.stdin.readlines():
        for word in line.split():
            add(word)
    for word in sorted(counts):
        print(word, counts[word])


if __name__ == "__main__":
    main()
