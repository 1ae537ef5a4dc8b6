// expect: CE|EXIT0|INVALID
// never_prints: root:
// never_prints: nologin
// never_prints: canary-
// type_check: yes
/// <reference path="/etc/passwd" />
/// <reference path="/proc/self/environ" />
/// <reference path="/dev/zero" />
import text = require('/etc/shadow');
console.log(text);
