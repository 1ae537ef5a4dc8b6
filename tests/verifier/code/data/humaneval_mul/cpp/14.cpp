    std::vector<std::string> prefixes;
    for (size_t i = 1; i <= string.size(); i++) prefixes.push_back(string.substr(0, i));
    return prefixes;
