<?php // problem: sum
$words = preg_split('/\s+/', trim(file_get_contents('php://stdin')));
$n = array_shift($words);
$sum = array_reduce(array_slice($words, 0, $n), fn ($carry, $word) => $carry + $word, 0);
die("$sum\n");
