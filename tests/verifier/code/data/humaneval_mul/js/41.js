  return n ** 2;
