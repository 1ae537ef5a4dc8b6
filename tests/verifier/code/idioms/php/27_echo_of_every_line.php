<?php // problem: huge
$n = (int) fgets(STDIN);
for ($i = 0; $i < $n; $i++) {
    echo 2 * (int) fgets(STDIN), "\n";
}
