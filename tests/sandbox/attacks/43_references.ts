// Files that the compiler is told to read.
// expect: EXIT0|CE
// never_prints: root:
// never_prints: nologin
// prints: contained
/// <reference path="/etc/passwd" />
/// <reference path="/etc/shadow" />
/// <reference path="../../../../etc/passwd" />
/// <reference types="/proc/self/environ" />
import type {} from '/etc/passwd';
console.log('contained');
