  return $x + $y;
