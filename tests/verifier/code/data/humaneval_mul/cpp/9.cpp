    for (size_t i = 1; i < numbers.size(); i++) numbers[i] = std::max(numbers[i], numbers[i - 1]);
    return numbers;
