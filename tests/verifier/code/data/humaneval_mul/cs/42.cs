        return l.Select(value => value + 1).ToList();
