// Source that a transpiler could trip over, and names that it uses itself.
// expect: EXIT0|CE
// prints: contained
// submissions: 2
namespace exports2 { export const __esModule = false; }
enum E { A = 'contained', B = 1 << 3 }
abstract class C<const T extends { [K in keyof T]: T[K] }> { declare x: T; constructor(private readonly y: number = 0, public z?: T) {} }
const f = <T,>(x: T): x is T & {} => true;
label: for (const x of [1] as const satisfies readonly number[]) { if (f<number>(x)) break label; }
console.log(E.A);
