<?php // problem: deep
$visited = [];
$visit = function (int $node, int $last) use (&$visit, &$visited): void {
    $visited[] = $node;
    if ($node < $last) {
        $visit($node + 1, $last);
    }
};
$visit(1, intval(stream_get_line(STDIN, 100, "\n")));
echo array_sum($visited);
