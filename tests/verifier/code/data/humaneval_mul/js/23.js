  return string.length;
