        return x + y;
