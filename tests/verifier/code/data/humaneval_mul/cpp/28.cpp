    std::string text;
    for (const auto& part : strings) text += part;
    return text;
