// problem: pairs
import java.util.*;
import java.util.stream.*;

public class Main {
    record Pair(int a, int b) {
        Pair {
            if (a > b) {
                int c = a;
                a = b;
                b = c;
            }
        }

        static Pair of(String line) {
            var parts = line.split(" ");
            return new Pair(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
        }
    }

    public static void main(String[] args) {
        var in = new Scanner(System.in);
        int t = Integer.parseInt(in.nextLine());
        IntStream.range(0, t).mapToObj(i -> Pair.of(in.nextLine())).map(Pair::b).forEach(System.out::println);
    }
}
