        return l.stream().allMatch(value -> value < t);
