"""PHP programs from end to end."""

from __future__ import annotations

import pytest

from sandbox.client import EmbeddedSandbox
from tests.sandbox.languages.conftest import NUMBERS, TOTAL, UNICODE, Programs, exited

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUM = """<?php
fscanf(STDIN, "%d", $n);
$sum = 0;
while ($n > 0 && ($line = fgets(STDIN)) !== false) {
    foreach (explode(' ', trim($line)) as $word) { $sum += (int) $word; $n--; }
}
echo $sum, "\\n";
"""
FEATURES = """<?php
declare(strict_types=1);
namespace App;
enum Suit: string { case Hearts = 'H'; case Spades = 'S'; public function label(): string { return ucfirst(strtolower($this->name)); } }
interface Shape { public function area(): float; }
final class Square implements Shape { public function __construct(private readonly float $side) {} public function area(): float { return $this->side ** 2; } }
function words(string $text): \\Generator { foreach (preg_split('/\\s+/', $text, -1, PREG_SPLIT_NO_EMPTY) as $w) yield $w; }
$counts = [];
foreach (words(stream_get_contents(STDIN)) as $w) $counts[$w] = ($counts[$w] ?? 0) + 1;
ksort($counts);
echo json_encode($counts), ' ', Suit::from('H')->label(), ' ', (new Square(3))->area(), "\\n";
echo match (true) { count($counts) > 1 => 'many', default => 'few' }, ' ', implode(',', array_map(fn($x) => $x * 2, [1, 2])), "\\n";
printf("%05.2f %s %d\\n", 3.14159, str_pad('x', 3, '-', STR_PAD_LEFT), intdiv(7, 2));
$heap = new \\SplPriorityQueue(); $heap->insert('low', 1); $heap->insert('high', 2); echo $heap->extract(), ctype_digit('12') ? ' digits' : '', "\\n";
"""


@pytest.fixture
def php(sandbox: EmbeddedSandbox) -> Programs:
    return Programs(sandbox, "php")


async def test_sum_and_large_input(php: Programs) -> None:
    result = await php.result(SUM, b"3\n1 2 3\n", NUMBERS)
    assert [o.stdout for o in result.outcomes] == [b"6\n", b"%d\n" % TOTAL]
    assert result.toolchain.startswith("php ")


async def test_features(php: Programs) -> None:
    expected = '{"a":1,"b":2} Hearts 9\nmany 2,4\n03.14 --x 3\nhigh digits\n'
    assert await php.output(FEATURES, b"b a\nb") == expected


async def test_unicode(php: Programs) -> None:
    source = "<?php $größe = stream_get_contents(STDIN); echo $größe, 'é', preg_match_all('/./u', $größe);"
    assert await php.output(source, UNICODE.encode()) == f"{UNICODE}é{len(UNICODE)}"


async def test_text_outside_of_php(php: Programs) -> None:
    assert await php.output("Hello\n<?php echo 1; ?>\nend") == "Hello\n1end"


async def test_deep_recursion(php: Programs) -> None:
    source = "<?php function deep($n) { return $n == 0 ? 0 : 1 + deep($n - 1); } echo deep(500000);"
    assert await php.output(source) == "500000"


async def test_memory_beyond_the_usual_setting(php: Programs) -> None:
    source = "<?php $x = str_repeat('x', 200 << 20); echo strlen($x);"
    assert await php.output(source) == str(200 << 20)


async def test_large_output(php: Programs) -> None:
    source = '<?php for ($i = 0; $i < 1000000; $i++) echo 1000000 + $i, "\\n";'
    assert len(await php.output(source)) == 8_000_000


async def test_exit_code(php: Programs) -> None:
    assert exited(await php.one("<?php exit(7);"), 7)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<?php echo 'x'; throw new RuntimeException('not caught');", "not caught"),
        ("<?php echo 'x'; missing();", "Call to undefined function missing()"),
        ("<?php echo 'x'; intdiv(1, 0);", "DivisionByZeroError"),
    ],
)
async def test_uncaught_exception(php: Programs, source: str, message: str) -> None:
    outcome = await php.one(source)
    assert exited(outcome, 255)
    assert outcome.stdout == b"x"
    assert message.encode() in outcome.stderr


async def test_syntax_error(php: Programs) -> None:
    outcome = await php.one("<?php\n$x = ;")
    assert exited(outcome, 255)
    assert b"main.php on line 2" in outcome.stderr
    assert outcome.stdout == b""


async def test_warnings_go_to_standard_error(php: Programs) -> None:
    outcome = await php.one("<?php $a = []; echo $a['none'] ?? 'x', $missing;")
    assert exited(outcome, 0)
    assert outcome.stdout == b"x"
    assert b"Undefined variable $missing" in outcome.stderr
