        return s.Where(char.IsUpper).Sum(c => (long) c);
