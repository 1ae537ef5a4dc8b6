        return string.Concat(strings);
