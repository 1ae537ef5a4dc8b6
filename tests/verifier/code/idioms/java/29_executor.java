// problem: pairs
import java.util.*;
import java.util.concurrent.*;

public class Main {
    public static void main(String[] args) throws Exception {
        Scanner in = new Scanner(System.in);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> results = new ArrayList<>();
        for (int t = in.nextInt(); t > 0; t--) {
            int a = in.nextInt(), b = in.nextInt();
            results.add(pool.submit(() -> Math.max(a, b)));
        }
        for (Future<Integer> result : results) System.out.println(result.get());
        pool.shutdown();
    }
}
