<?php
// expect: EXIT0
// prints:
register_shutdown_function(function () {
    while (ob_get_level()) {
        ob_end_clean();
    }
    exit(0);
});
ob_start();
echo 'hidden';
exit(0);
