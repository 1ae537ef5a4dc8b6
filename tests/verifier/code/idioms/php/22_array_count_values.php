<?php // problem: words
$counts = array_count_values(str_word_count(file_get_contents('php://stdin'), 1));
ksort($counts);
foreach ($counts as $word => $count) {
    echo "$word $count\n";
}
