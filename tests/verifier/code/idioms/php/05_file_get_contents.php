<?php // problem: copy
echo file_get_contents('php://stdin');
