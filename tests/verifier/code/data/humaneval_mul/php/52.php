  foreach ($l as $value) {
    if ($value >= $t) return false;
  }
  return true;
