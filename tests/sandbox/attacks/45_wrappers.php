<?php
// Files by way of streams, filters and includes.
// expect: EXIT0
// prints: contained
// never_prints: root:
$paths = ['/etc/shadow', '/etc/passwd', '/proc/1/environ', '/root/.bashrc', '/proc/self/root/etc/passwd'];
foreach ($paths as $path) {
    foreach (['', 'php://filter/convert.base64-encode/resource=', 'php://filter/read=string.rot13/resource=', 'file://', 'compress.zlib://', 'phar://'] as $how) {
        try {
            if (@file_get_contents($how . $path)) {
                echo "reached: $how$path\n";
            }
            if (@include($how . $path)) {
                echo "reached: include $how$path\n";
            }
        } catch (Throwable $e) {
        }
    }
}
foreach (['php://fd/3', 'php://fd/4', 'php://fd/10'] as $path) {
    try {
        $file = @fopen($path, 'r+');
        if ($file && @fwrite($file, 'forged')) {
            echo "reached: $path\n";
        }
    } catch (Throwable $e) {
    }
}
echo "contained\n";
