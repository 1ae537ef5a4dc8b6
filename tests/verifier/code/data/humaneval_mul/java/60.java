        return LongStream.rangeClosed(1, n).sum();
