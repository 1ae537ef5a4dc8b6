<?php
// Settings and cached code for whoever comes next.
// expect: EXIT0
// prints: contained
// runs: 2
// submissions: 2
foreach (['/tmp', '/box', '/dev/shm', '/etc/php', '/var/lib/php/sessions'] as $place) {
    foreach (['.user.ini', 'php.ini', 'auto.php', 'sess_1'] as $name) {
        if (file_exists("$place/$name.mine")) {
            echo "reached: $place/$name\n";
        }
    }
}
foreach (['/tmp', '/box', '/dev/shm', '/etc/php', '/var/lib/php/sessions'] as $place) {
    foreach (['.user.ini', 'php.ini', 'auto.php', 'sess_1'] as $name) {
        @file_put_contents("$place/$name", 'auto_prepend_file=/tmp/auto.php');
        @file_put_contents("$place/$name.mine", '');
    }
}
if (function_exists('opcache_get_status') && @opcache_get_status()) {
    echo "reached: opcache\n";
}
if (function_exists('session_start')) {
    @session_id('touched');
    @session_start();
    if (isset($_SESSION['touched'])) {
        echo "reached: session\n";
    }
    $_SESSION['touched'] = 1;
}
echo "contained\n";
