  $sum = 0;
  foreach (str_split($s) as $c) {
    if (ctype_upper($c)) $sum += ord($c);
  }
  return $sum;
