// problem: deep
import java.util.*;

public class Main {
    static List<List<Integer>> graph = new ArrayList<>();
    static long sum;

    static void dfs(int node, int parent) {
        sum += node;
        for (int next : graph.get(node)) if (next != parent) dfs(next, node);
    }

    public static void main(String[] args) {
        int n = new Scanner(System.in).nextInt();
        for (int i = 0; i <= n; i++) graph.add(new ArrayList<>());
        for (int i = 0; i < n; i++) {
            graph.get(i).add(i + 1);
            graph.get(i + 1).add(i);
        }
        dfs(0, -1);
        System.out.println(sum);
    }
}
