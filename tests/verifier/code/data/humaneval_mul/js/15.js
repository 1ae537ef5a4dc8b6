  return [...Array(n + 1).keys()].join(' ');
