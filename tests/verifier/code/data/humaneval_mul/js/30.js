  return l.filter((value) => value > 0);
