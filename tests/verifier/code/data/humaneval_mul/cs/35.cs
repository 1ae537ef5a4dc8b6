        return l.Max();
