import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.StreamTokenizer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.*;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A program that uses what contest programs use. The compile server warms up with it, and the
 * classes that it loads are the ones that the archive of the runtime holds.
 */
public class Typical {
  enum Colour { RED, GREEN }

  record Point(int x, long y) {}

  interface Shape {
    double area();
  }

  static class Node<T extends Comparable<T>> implements Comparable<Node<T>> {
    final T value;
    Node<T> next;

    Node(T value) {
      this.value = value;
    }

    @Override
    public int compareTo(Node<T> other) {
      return value.compareTo(other.value);
    }
  }

  static long fibonacci(int n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
  }

  static int[] words(BufferedReader in) throws IOException {
    StringTokenizer words = new StringTokenizer(in.readLine());
    int[] numbers = new int[words.countTokens()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Integer.parseInt(words.nextToken());
    }
    return numbers;
  }

  static void collections(int[] numbers, PrintWriter out) {
    Map<Integer, Integer> counts = new HashMap<>();
    TreeMap<String, List<Integer>> sorted = new TreeMap<>(Comparator.reverseOrder());
    PriorityQueue<int[]> queue = new PriorityQueue<>((a, b) -> Integer.compare(a[0], b[0]));
    Deque<Node<Integer>> deque = new ArrayDeque<>();
    Set<Long> seen = new LinkedHashSet<>();
    for (int number : numbers) {
      counts.merge(number, 1, Integer::sum);
      sorted.computeIfAbsent("k" + number, key -> new ArrayList<>()).add(number);
      queue.add(new int[] {number, -number});
      deque.push(new Node<>(number));
      seen.add((long) number * number);
    }
    List<Integer> keys = new ArrayList<>(counts.keySet());
    Collections.sort(keys, (a, b) -> counts.get(b) - counts.get(a));
    keys.sort(Comparator.comparing((Integer key) -> -key));
    Arrays.sort(numbers);
    out.println(keys + " " + sorted.firstKey() + " " + queue.poll()[0] + " " + seen.size());
    for (Map.Entry<String, List<Integer>> entry : sorted.entrySet()) {
      switch (entry.getKey()) {
        case "k1":
          out.print('!');
          break;
        default:
          out.print(entry.getValue().get(0));
      }
    }
    BitSet bits = new BitSet(64);
    bits.set(Iterator.class.getName().length());
    TreeSet<Integer> tree = new TreeSet<>(keys);
    out.println(bits.cardinality() + deque.peekLast().value + tree.first());
  }

  static void streams(PrintWriter out) {
    String text = IntStream.range(0, 9).mapToObj(i -> "x" + i).collect(Collectors.joining(","));
    List<Integer> squares =
        Arrays.asList(1, 2, 3).stream().map(i -> i * i).filter(i -> i > 1).toList();
    Map<Boolean, Long> parts =
        squares.stream().collect(Collectors.groupingBy(i -> i > 4, Collectors.counting()));
    Function<Integer, Integer> twice = i -> 2 * i;
    out.println(text + parts + twice.apply(IntStream.of(1, 2).sum()) + Colour.RED);
    out.println(squares.stream().mapToInt(Integer::intValue).max().getAsInt());
  }

  static void text(PrintWriter out) {
    StringBuilder builder = new StringBuilder("abc");
    builder.append(1.5).append(2L).reverse();
    Shape shape = () -> 1.5;
    out.printf("%s %d %.3f%n", builder, new Point(1, 2L).x(), shape.area());
    out.println(String.format("%05d|%-5s|%x", 42, "a", 255) + String.join("-", "a b".split(" ")));
    out.println(BigInteger.TWO.pow(100).mod(BigInteger.TEN).add(BigDecimal.ONE.toBigInteger()));
    out.println(Optional.of(Math.sqrt(2)).map(Double::intValue).get());
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    PrintWriter out = new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out)));
    StreamTokenizer tokens = new StreamTokenizer(new java.io.StringReader("1 2"));
    tokens.nextToken();
    collections(words(in), out);
    streams(out);
    text(out);
    try (Scanner scanner = new Scanner(in.readLine() + "\nline\n")) {
      int first = scanner.nextInt();
      long second = scanner.nextLong();
      double third = scanner.nextDouble();
      scanner.nextLine();
      out.println(first + second + third + scanner.nextLine() + scanner.hasNextInt());
    }
    Thread thread = new Thread(null, () -> out.println(fibonacci(10)), "deep", 1 << 20);
    thread.start();
    thread.join();
    try {
      Integer.parseInt("x");
    } catch (NumberFormatException error) {
      out.println(error.getMessage());
    }
    out.flush();
  }
}
