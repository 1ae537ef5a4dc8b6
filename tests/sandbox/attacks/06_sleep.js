// expect: WALL
// limits: wall=0.8
setInterval(() => {}, 60000);
