// A comment that is a program.
// expect: EXIT0
// prints: contained
public class Main {
    public static void main(String[] args) {
        // \u000a System.out.println("contained");
        /* \u002a\u002f System.exit(0); /* */
    }
}
