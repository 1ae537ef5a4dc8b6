        return b == 0 ? a : GreatestCommonDivisor(b, a % b);
