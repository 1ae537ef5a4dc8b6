// problem: echo
import java.io.IOException;
import java.nio.file.*;

public class Main {
    public static void main(String[] args) throws IOException {
        for (String line : Files.readAllLines(Path.of("/dev/stdin"))) System.out.println(line);
    }
}
