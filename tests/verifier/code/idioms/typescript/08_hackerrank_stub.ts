// problem: pairs
'use strict';

process.stdin.resume();
process.stdin.setEncoding('utf-8');
let inputString: string = '';
let inputLines: string[] = [];
let currentLine: number = 0;
process.stdin.on('data', function (inputStdin: string): void {
    inputString += inputStdin;
});
process.stdin.on('end', function (): void {
    inputLines = inputString.split('\n');
    inputString = '';
    main();
});

function readLine(): string {
    return inputLines[currentLine++];
}

function main() {
    const t: number = parseInt(readLine().trim(), 10);
    for (let i: number = 0; i < t; i++) {
        const pair: number[] = readLine().replace(/\s+$/g, '').split(' ').map((x: string) => parseInt(x, 10));
        console.log(Math.max(...pair));
    }
}
