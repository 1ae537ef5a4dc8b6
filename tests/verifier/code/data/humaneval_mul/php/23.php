  $count = 0;
  while (isset($string[$count])) {
    $count++;
  }
  return $count;
