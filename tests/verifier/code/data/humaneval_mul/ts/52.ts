  return l.every((value) => value < t);
