<?php // problem: messy
$total = 0;
$word = '';
do {
    $c = fgetc(STDIN);
    if ($c === false || ctype_space($c)) {
        $total += (int) $word;
        $word = '';
    } else {
        $word .= $c;
    }
} while ($c !== false);
echo $total;
