<?php // problem: sorted
fgets(STDIN);
$values = explode(' ', trim(fgets(STDIN)));
natsort($values);
usort($values, fn ($a, $b) => $a - $b);
echo join(' ', $values) . "\n";
