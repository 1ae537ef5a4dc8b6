<?php // problem: sum
class Total
{
    private int $total = 0;

    public function add(int ...$values): static
    {
        foreach ($values as $value) {
            $this->total += $value;
        }
        return $this;
    }

    public function __destruct()
    {
        echo $this->total . "\n";
    }
}

fgets(STDIN);
$total = new Total();
$line = trim((string) fgets(STDIN));
$line === '' or $total->add(...array_map('intval', explode(' ', $line)));
