<?php // problem: pairs
ob_start();
$lines = explode("\n", file_get_contents("php://stdin"));
foreach (range(1, (int) $lines[0]) as $i) {
    [$a, $b] = explode(" ", $lines[$i]);
    echo max((int) $a, (int) $b), "\n";
}
ob_end_flush();
