// expect: EXIT0
// differs: yes
// runs: 2
// submissions: 2
console.log(Math.random(), require('crypto').randomUUID());
