  return string.split('').map((_, i) => string.slice(0, i + 1));
