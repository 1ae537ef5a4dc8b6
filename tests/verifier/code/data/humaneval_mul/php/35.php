  return max($l);
