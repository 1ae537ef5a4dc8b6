<?php // problem: words
$counts = [];
while ($line = fgets(STDIN)) {
    $word = strtok($line, " \n");
    while ($word !== false) {
        $counts[$word] ??= 0;
        $counts[$word]++;
        $word = strtok(" \n");
    }
}
uksort($counts, 'strcmp');
array_walk($counts, function ($count, $word) {
    printf("%s %d\n", $word, $count);
});
