// problem: pairs
'use strict';

process.stdin.resume();
process.stdin.setEncoding('utf-8');

let inputString = '';
let currentLine = 0;

process.stdin.on('data', function (inputStdin) {
    inputString += inputStdin;
});

process.stdin.on('end', function () {
    inputString = inputString.split('\n');
    main();
});

function readLine() {
    return inputString[currentLine++];
}

function main() {
    const t = parseInt(readLine().trim(), 10);
    for (let i = 0; i < t; i++) {
        const [a, b] = readLine().replace(/\s+$/g, '').split(' ').map(x => parseInt(x, 10));
        console.log(a > b ? a : b);
    }
}
