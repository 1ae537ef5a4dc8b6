    return string.size();
