// problem: words
import java.io.PrintWriter;
import java.util.Map;
import java.util.Scanner;
import java.util.TreeMap;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        PrintWriter out = new PrintWriter(System.out, true);
        Map<String, Integer> counts = new TreeMap<>();
        while (in.hasNext()) counts.merge(in.next(), 1, Integer::sum);
        counts.forEach((word, count) -> out.println(word + " " + count));
    }
}
