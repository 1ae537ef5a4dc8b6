  return array_map(fn($value) => $value + 1, $l);
