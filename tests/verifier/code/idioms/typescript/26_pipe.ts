// problem: copy
process.stdin.pipe(process.stdout);
