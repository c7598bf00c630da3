<?php
// A page, and a page that waits.
if (isset($_GET['s'])) {
    sleep((int) $_GET['s']);
}
echo "ok\n";
