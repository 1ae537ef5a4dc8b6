    long a = 0, b = 0, c = 1;
    while (n-- > 0) {
        long sum = a + b + c;
        a = b;
        b = c;
        c = sum;
    }
    return a;
