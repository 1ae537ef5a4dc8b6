// Types without end are stripped, not worked out.
// expect: EXIT0|CE
// prints: contained
type Deep<T, N extends number[] = []> = N['length'] extends 100000 ? T : Deep<[T, T], [...N, 0]>;
type Endless<T> = { a: Endless<{ b: T }> };
type Answer = Deep<string>;
const one: Answer | Endless<number> | string = 'contained';
console.log(one);
