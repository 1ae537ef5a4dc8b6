<?php // problem: copy
fpassthru(STDIN);
