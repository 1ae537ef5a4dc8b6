        return string.Join(" ", Enumerable.Range(0, (int) n + 1));
