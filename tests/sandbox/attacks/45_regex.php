<?php
// expect: CPU|EXIT0|RE
// never_prints: reached
// limits: cpu=0.4 wall=3
ini_set('pcre.backtrack_limit', '1000000000000');
ini_set('pcre.jit', '0');
if (preg_match('/^(a+)+$/', str_repeat('a', 64) . 'b')) {
    echo 'reached';
}
