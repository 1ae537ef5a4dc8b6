<?php // problem: deep
function climb(int $n): int
{
    return $n === 0 ? 0 : $n + climb($n - 1);
}

echo climb((int) fgets(STDIN)), "\n";
