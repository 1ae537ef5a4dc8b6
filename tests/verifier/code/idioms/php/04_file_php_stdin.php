<?php // problem: echo
foreach (file('php://stdin') as $line) {
    echo rtrim($line, "\r\n"), "\n";
}
