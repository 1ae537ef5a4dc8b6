<?php // problem: sorted
ob_start(fn (string $text): string => trim($text) . "\n");
$n = (int) fgets(STDIN);
$values = array_map('intval', preg_split('/ /', trim(fgets(STDIN))));
sort($values, SORT_NUMERIC);
foreach ($values as $value) echo $value, ' ';
