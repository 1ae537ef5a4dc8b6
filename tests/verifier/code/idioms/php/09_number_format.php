<?php // problem: mean
list($count, $line) = file("php://stdin", FILE_IGNORE_NEW_LINES);
$sum = 0;
foreach (explode(" ", $line) as $value) $sum += $value;
echo number_format($sum / $count, 3, ".", "");
