<?php // problem: first
register_shutdown_function(function () use (&$answer) {
    echo $answer, "\n";
});
fscanf(STDIN, '%d', $n);
$answer = $n * $n;
exit;
