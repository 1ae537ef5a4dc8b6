// Exits in every way there is; what it prints to say otherwise is not there.
// expect: EXIT0
// prints:
// stdin: 0
// stdin: 1
// stdin: 2
// stdin: 3
public class Main {
    public static void main(String[] args) throws Exception {
        switch (System.in.read()) {
            case '0': System.exit(0);
            case '1': Runtime.getRuntime().halt(0);
            case '2':
                Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
                throw new Error();
            default:
                System.setOut(null);
        }
    }
}
