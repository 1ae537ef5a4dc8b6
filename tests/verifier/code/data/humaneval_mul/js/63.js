  let [a, b, c] = [0, 0, 1];
  while (n-- > 0) [a, b, c] = [b, c, a + b + c];
  return a;
