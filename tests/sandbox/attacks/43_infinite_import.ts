// The program imports itself, and what does not exist.
// expect: EXIT0|CE|RE
// never_prints: reached
// limits: cpu=1
import * as self from './main';
import data from '/etc/shadow';
console.log(Object.keys(self), data ? 'reached' : '');
