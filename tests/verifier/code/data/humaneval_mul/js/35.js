  return Math.max(...l);
