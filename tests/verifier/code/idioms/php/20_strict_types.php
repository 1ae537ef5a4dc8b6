<?php // problem: sorted
declare(strict_types=1);

final class Solution
{
    /** @param list<int> $values */
    public function __construct(private readonly array $values)
    {
    }

    public static function fromInput(): self
    {
        [, $line] = explode("\n", (string) file_get_contents('php://stdin'));
        return new self(array_map(static fn (string $word): int => (int) $word, explode(' ', trim($line))));
    }

    public function __toString(): string
    {
        $values = $this->values;
        usort($values, static fn (int $a, int $b): int => $a <=> $b);
        return implode(' ', $values);
    }
}

echo Solution::fromInput(), "\n";
