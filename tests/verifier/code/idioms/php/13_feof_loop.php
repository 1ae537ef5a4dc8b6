<?php // problem: echo
while (!feof(STDIN)) {
    $line = fgets(STDIN);
    if ($line === false) {
        break;
    }
    fwrite(STDOUT, rtrim($line) . "\n");
}
