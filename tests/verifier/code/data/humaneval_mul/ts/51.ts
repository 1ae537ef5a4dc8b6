  return text.replace(/[aeiou]/gi, '');
