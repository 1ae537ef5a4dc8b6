<?php // problem: pairs
fscanf(STDIN, "%d", $t);
while ($t-- > 0) {
    fscanf(STDIN, "%d %d", $a, $b);
    echo max($a, $b) . PHP_EOL;
}
