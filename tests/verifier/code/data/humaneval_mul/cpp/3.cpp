    long balance = 0;
    for (long change : operations)
        if ((balance += change) < 0) return true;
    return false;
