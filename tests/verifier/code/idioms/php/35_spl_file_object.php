<?php // problem: words
$file = new SplFileObject('php://stdin');
$counts = new ArrayObject();
while (!$file->eof()) {
    $line = $file->fgets();
    foreach (preg_split('/\s+/', $line, -1, PREG_SPLIT_NO_EMPTY) as $word) {
        $counts[$word] = ($counts[$word] ?? 0) + 1;
    }
}
$counts->ksort();
foreach ($counts as $word => $count) echo "{$word} {$count}", PHP_EOL;
