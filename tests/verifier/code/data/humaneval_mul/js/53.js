  return x + y;
