<?php // problem: pairs
enum Larger
{
    case Left;
    case Right;

    public static function of(int $a, int $b): self
    {
        return $a > $b ? self::Left : self::Right;
    }
}

[$t] = fscanf(STDIN, '%d');
for ($case = 0; $case < $t; ++$case) {
    [$a, $b] = fscanf(STDIN, '%d %d');
    echo match (Larger::of($a, $b)) {
        Larger::Left => $a,
        Larger::Right => $b,
    }, "\n";
}
