  return strrev($text) === $text;
