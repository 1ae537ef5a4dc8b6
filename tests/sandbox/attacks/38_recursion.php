<?php
// expect: RE|MLE|CPU
// never_prints: reached
// limits: memory=128M cpu=2
ini_set('memory_limit', '-1');
function deep($n) { return deep($n + 1) + 1; }
deep(0);
echo 'reached';
