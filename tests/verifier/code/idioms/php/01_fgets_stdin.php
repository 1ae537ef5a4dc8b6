<?php // problem: sum
$n = (int) fgets(STDIN);
$values = explode(" ", trim(fgets(STDIN)));
$sum = 0;
for ($i = 0; $i < $n; $i++) {
    $sum += (int) $values[$i];
}
echo $sum, "\n";
?>
