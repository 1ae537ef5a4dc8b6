// problem: copy
import { readFileSync, writeSync } from "fs";

const bytes: Buffer = readFileSync(0);
for (let at: number = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
