        long a = 0, b = 1;
        for (; n > 0; n--) {
            b += a;
            a = b - a;
        }
        return a;
