        return str.Length;
