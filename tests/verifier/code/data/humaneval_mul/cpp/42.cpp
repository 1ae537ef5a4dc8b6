    for (long& value : l) value++;
    return l;
