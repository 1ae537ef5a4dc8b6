<?php // problem: messy
$in = fopen('php://stdin', 'r');
$total = 0;
while (($line = fgets($in)) !== false) {
    foreach (explode(' ', str_replace(["\t", "\r", "\n"], ' ', $line)) as $word) {
        if ($word !== '') {
            $total += (int) $word;
        }
    }
}
fclose($in);
echo "$total\n";
