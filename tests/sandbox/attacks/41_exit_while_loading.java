// expect: EXIT0
// prints:
public class Main {
    static { System.exit(0); }

    public static void main(String[] args) { System.out.println("unreached"); }
}
