// Classes that take the names of the library's.
// expect: EXIT0
// prints: contained
// submissions: 2
class Runtime { }

class Thread { }

public class Main {
    static class System { static java.io.PrintStream out = java.lang.System.out; }

    public static void main(java.lang.String[] args) { System.out.println("contained"); }
}
