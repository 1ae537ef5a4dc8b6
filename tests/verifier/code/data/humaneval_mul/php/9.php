  foreach ($numbers as $i => $number) {
    if ($i > 0) $numbers[$i] = max($number, $numbers[$i - 1]);
  }
  return $numbers;
