<?php
// expect: EXIT0
// prints: contained
foreach (['tcp://127.0.0.1:22', 'tcp://1.1.1.1:80', 'udp://127.0.0.1:53', 'unix:///tmp/socket', 'udg:///tmp/socket'] as $address) {
    if (@stream_socket_client($address, $code, $text, 0.2)) {
        echo "reached: $address\n";
    }
    if (@stream_socket_server($address, $code, $text)) {
        echo "reached: server $address\n";
    }
}
if (@fsockopen('127.0.0.1', 22, $code, $text, 0.2) || @file_get_contents('http://127.0.0.1/') || gethostbyname('example.com') !== 'example.com') {
    echo "reached: network\n";
}
echo "contained\n";
