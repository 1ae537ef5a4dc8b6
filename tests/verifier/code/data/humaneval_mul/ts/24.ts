  let d = n - 1;
  while (n % d) d--;
  return d;
