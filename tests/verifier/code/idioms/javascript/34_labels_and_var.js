// problem: first
var n = 0, sign = 1, c;
var text = require('fs').readFileSync(0).slice(0, 20)
scan: for (var i = 0; i < text.length; i++) {
    switch (c = String.fromCharCode(text[i])) {
        case '-': sign = -1; break
        case '\n': break scan
        default: n = n * 10 + parseInt(c)
    }
}
n *= sign
console.log(n * n)