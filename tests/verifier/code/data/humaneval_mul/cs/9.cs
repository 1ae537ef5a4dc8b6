        long top = long.MinValue;
        return numbers.Select(number => top = Math.Max(top, number)).ToList();
