// Types over which the compiler recurses.
// expect: CE|EXIT0
// prints: contained
public class Main {
    interface Z { }
    interface N<X> { }
    interface C<T> extends N<N<? super C<C<T>>>> { }
    static N<? super C<Byte>> cast(C<Byte> c) { return c; }

    public static void main(String[] args) { System.out.println("contained"); }
}
