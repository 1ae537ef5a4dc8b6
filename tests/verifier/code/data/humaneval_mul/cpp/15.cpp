    std::string text = "0";
    for (long i = 1; i <= n; i++) text += " " + std::to_string(i);
    return text;
