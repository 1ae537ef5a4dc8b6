<?php // problem: copy
stream_copy_to_stream(fopen('php://stdin', 'rb'), fopen('php://output', 'wb'));
