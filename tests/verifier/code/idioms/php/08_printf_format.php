<?php // problem: mean
$n = (int) trim(fgets(STDIN));
$values = array_map('floatval', explode(' ', trim(fgets(STDIN))));
printf("%.3f\n", array_sum($values) / $n);
