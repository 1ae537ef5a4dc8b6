// problem: messy
import java.io.*;
import java.util.Arrays;
import java.util.function.Predicate;

public class Main {
    public static void main(String[] args) throws IOException {
        try (var reader = new BufferedReader(new InputStreamReader(System.in))) {
            long total = reader.lines()
                    .flatMap(line -> Arrays.stream(line.split("\\s+")))
                    .filter(Predicate.not(String::isBlank))
                    .mapToLong(Long::parseLong)
                    .sum();
            System.out.println(total);
        }
    }
}
