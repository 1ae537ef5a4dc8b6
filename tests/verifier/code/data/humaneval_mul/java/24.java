        for (long d = n / 2; d > 1; d--) {
            if (n % d == 0) return d;
        }
        return 1;
