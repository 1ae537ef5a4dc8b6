<?php
// By every function that starts a program.
// expect: EXIT0
// prints: contained
$commands = ['cat /etc/shadow', 'ls /root/.ssh', 'cat /proc/1/environ', 'kill -9 1', 'mount -t tmpfs none /tmp', 'cat /etc/passwd'];
foreach ($commands as $command) {
    $texts = [@shell_exec("$command 2>/dev/null"), @exec("$command 2>/dev/null")];
    ob_start();
    @system("$command 2>/dev/null");
    @passthru("$command 2>/dev/null");
    $texts[] = ob_get_clean();
    if ($one = @popen("$command 2>/dev/null", 'r')) {
        $texts[] = stream_get_contents($one);
        pclose($one);
    }
    if ($one = @proc_open($command, [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes)) {
        $texts[] = stream_get_contents($pipes[1]);
        if (proc_close($one) === 0) {
            echo "reached: $command\n";
        }
    }
    if (implode('', array_filter($texts)) !== '') {
        echo "reached: $command says ", implode('', array_filter($texts)), "\n";
    }
}
if (function_exists('posix_kill')) {
    foreach ([1, 2, 3, 4, 5, posix_getppid()] as $pid) {
        if ($pid !== posix_getpid() && $pid !== 0 && @posix_kill($pid, 9)) {
            echo "reached: $pid\n";
        }
    }
}
if (function_exists('posix_setuid') && @posix_setuid(0)) {
    echo "reached: root\n";
}
echo "contained\n";
