    return x + y;
