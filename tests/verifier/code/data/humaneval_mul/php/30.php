  return array_values(array_filter($l, fn($value) => $value > 0));
