        return BigInteger.TWO.modPow(BigInteger.valueOf(n), BigInteger.valueOf(p)).longValue();
