// problem: pairs
var lines = require('fs').readFileSync('/dev/stdin').toString().trim().split('\n');
var t = parseInt(lines[0]);
for (var i = 1; i <= t; i++) {
    var pair = lines[i].split(' ').map(Number);
    console.log(Math.max(pair[0], pair[1]));
}
