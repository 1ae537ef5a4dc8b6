// expect: CE|EXIT0|INVALID
// prints: contained
// type_check: yes
type Digits = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
type Many = `${Digits}${Digits}${Digits}${Digits}${Digits}${Digits}${Digits}`;
type Deep<T, N extends number[] = []> = N['length'] extends 900 ? T : Deep<[T, T], [...N, 0]>;
type Tree<T, N extends number[] = []> = N['length'] extends 40 ? T : [Tree<[T, 0], [...N, 0]>, Tree<[T, 1], [...N, 0]>];
const many: Many = '0000000' as any;
const tree: Tree<1> = 1 as any;
const deep: Deep<2> = 2 as any;
console.log('contained');
