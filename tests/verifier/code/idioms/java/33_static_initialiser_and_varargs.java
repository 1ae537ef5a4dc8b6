// problem: words
import java.util.*;

public class Main {
    private static final SortedMap<String, Integer> COUNTS;

    static {
        COUNTS = Collections.synchronizedSortedMap(new TreeMap<>());
    }

    @SafeVarargs
    private static <T> void print(T... values) {
        StringJoiner line = new StringJoiner(" ", "", "\r\n");
        for (T value : values) line.add(Objects.toString(value));
        System.out.print(line);
    }

    public static void main(String[] args) {
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            Scanner words = new Scanner(lines.nextLine());
            while (words.hasNext()) {
                String word = words.next();
                COUNTS.put(word, COUNTS.getOrDefault(word, 0) + 1);
            }
        }
        for (Map.Entry<String, Integer> entry : COUNTS.entrySet()) print(entry.getKey(), entry.getValue());
    }
}
