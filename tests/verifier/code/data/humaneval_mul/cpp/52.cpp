    return std::all_of(l.begin(), l.end(), [t](long value) { return value < t; });
