  let top = -Infinity;
  return numbers.map((number) => (top = Math.max(top, number)));
