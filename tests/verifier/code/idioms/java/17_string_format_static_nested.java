// problem: mean
import java.util.*;

public class Main {
    static class Solver {
        private final List<Integer> values = new LinkedList<>();

        void add(int value) {
            values.add(value);
        }

        double mean() {
            return values.stream().mapToInt(Integer::intValue).average().orElseThrow();
        }
    }

    public static void main(String[] args) {
        Solver solver = new Solver();
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        while (n-- != 0) solver.add(in.nextInt());
        System.out.println(String.format(Locale.ENGLISH, "%1$.3f", solver.mean()));
    }
}
