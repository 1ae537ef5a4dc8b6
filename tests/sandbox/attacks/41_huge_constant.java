// Ten million characters, made by the compiler.
// expect: CE|EXIT0
// never_prints: reached
public class Main {
    static final String A = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static final String B = A + A + A + A + A + A + A + A + A + A, C = B + B + B + B + B + B + B + B + B + B;
    static final String D = C + C + C + C + C + C + C + C + C + C, E = D + D + D + D + D + D + D + D + D + D;
    static final String F = E + E + E + E + E + E + E + E + E + E;

    public static void main(String[] args) { System.out.println(F.length()); }
}
