// problem: hello
public class Main {
    public static void main(String[] args) {
        var greeting = """
                Hello, \
                world!
                """;
        System.out.print(greeting);
    }
}
