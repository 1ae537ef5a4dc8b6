        return l.All(value => value < t);
