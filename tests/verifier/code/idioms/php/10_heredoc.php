<?php // problem: hello
$whom = "world";
echo <<<TEXT
    Hello, {$whom}!

    TEXT;
