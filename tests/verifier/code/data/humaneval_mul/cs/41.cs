        return n * n;
