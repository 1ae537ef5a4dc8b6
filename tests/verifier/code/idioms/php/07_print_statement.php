<?php // problem: first
$n = intval(trim(fgets(STDIN)));
print $n ** 2;
print PHP_EOL;
exit(0);
