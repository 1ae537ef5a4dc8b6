    return n * n;
