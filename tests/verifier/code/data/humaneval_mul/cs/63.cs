        long a = 0, b = 0, c = 1;
        for (; n > 0; n--) {
            long sum = a + b + c;
            a = b;
            b = c;
            c = sum;
        }
        return a;
