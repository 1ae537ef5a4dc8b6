<?php // problem: sorted
$heap = new SplMinHeap();
fscanf(STDIN, "%d", $n);
foreach (explode(" ", rtrim(fgets(STDIN))) as $word) $heap->insert(+$word);
while (!$heap->isEmpty()) {
    echo $heap->extract() . ($heap->isEmpty() ? "\r\n" : " ");
}
