        return Enumerable.Range(1, str.Length).Select(i => str.Substring(0, i)).ToList();
