<?php
// expect: WALL
// limits: wall=0.4
while (true) {
    sleep(100);
}
