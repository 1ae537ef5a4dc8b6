        return l.Where(value => value > 0).ToList();
