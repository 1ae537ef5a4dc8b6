        return (long) BigInteger.ModPow(2, n, p);
