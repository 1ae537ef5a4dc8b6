    long power = 1 % p;
    while (n-- > 0) power = power * 2 % p;
    return power;
