  return $n * $n;
