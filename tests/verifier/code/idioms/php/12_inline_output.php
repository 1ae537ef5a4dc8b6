<?php // problem: hello ?>
Hello, <?php echo "world"; ?>!
