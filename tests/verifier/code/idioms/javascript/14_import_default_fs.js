// problem: copy
import fs from 'fs';

export const copy = () => fs.writeFileSync(1, fs.readFileSync(0));
copy();
