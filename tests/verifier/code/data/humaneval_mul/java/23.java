        return string.length();
