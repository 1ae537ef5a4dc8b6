        long d = n - 1;
        while (n % d != 0) d--;
        return d;
