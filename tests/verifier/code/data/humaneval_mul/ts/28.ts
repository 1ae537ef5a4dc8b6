  return strings.join('');
