// problem: deep
import { readFileSync } from "fs";

type List = null | { head: number; tail: List };

let list: List = null;
for (let i = +readFileSync(0).toString(); i > 0; i--) list = { head: i, tail: list };
const total = (list: List): number => (list ? list.head + total(list.tail) : 0);
console.log(total(list));
