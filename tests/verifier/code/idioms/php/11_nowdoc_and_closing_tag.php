<?php // problem: hello
$greeting = <<<'TEXT'
Hello, world!
TEXT;
?>
<?= $greeting ?>
