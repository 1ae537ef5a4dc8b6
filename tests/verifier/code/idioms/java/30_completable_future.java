// problem: sum
import java.util.Scanner;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;

public class Main {
    public static void main(String[] args) {
        CompletableFuture.supplyAsync(() -> new Scanner(System.in))
                .thenApply(in -> LongStream.generate(in::nextLong).limit(in.nextInt()).sum())
                .thenAccept(System.out::println)
                .join();
    }
}
