  return implode('', $strings);
