    std::vector<long> kept;
    std::copy_if(l.begin(), l.end(), std::back_inserter(kept), [](long value) { return value > 0; });
    return kept;
