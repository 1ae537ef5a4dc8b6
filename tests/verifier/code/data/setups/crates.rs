// A test prints now and then; only its exit status counts.
macro_rules! println {
    ($($part:tt)*) => {
        let _ = format!($($part)*);
    };
}

// As much of three crates as the data's programs ask for.
mod rand {
    use std::cell::Cell;

    pub struct Source;
    pub fn thread_rng() -> Source {
        Source
    }
    pub fn random<T: Drawn>() -> T {
        T::cut(next())
    }
    fn next() -> u64 {
        thread_local!(static STATE: Cell<u64> = Cell::new(0x9E37_79B9_7F4A_7C15));
        STATE.with(|state| {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            x
        })
    }
    pub trait Drawn {
        fn cut(bits: u64) -> Self;
        fn within(bits: u64, low: Self, high: Self) -> Self;
    }
    macro_rules! drawn {
        ($($kind:ty),*) => {$(
            impl Drawn for $kind {
                fn cut(bits: u64) -> Self {
                    bits as $kind
                }
                fn within(bits: u64, low: Self, high: Self) -> Self {
                    low + (bits % (high - low) as u64) as $kind
                }
            }
        )*};
    }
    drawn!(u8, i32, u32, i64, u64, usize);
    pub trait Rng {
        fn gen<T: Drawn>(&mut self) -> T {
            T::cut(next())
        }
        fn gen_range<T: Drawn>(&mut self, low: T, high: T) -> T {
            T::within(next(), low, high)
        }
    }
    impl Rng for Source {}
}

mod md5 {
    pub struct Digest([u8; 16]);
    impl std::fmt::LowerHex for Digest {
        fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
            self.0.iter().try_for_each(|byte| write!(out, "{:02x}", byte))
        }
    }
    pub fn compute<T: AsRef<[u8]>>(given: T) -> Digest {
        let text = given.as_ref();
        const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
        let mut data = text.to_vec();
        data.push(0x80);
        while data.len() % 64 != 56 {
            data.push(0);
        }
        data.extend((text.len() as u64 * 8).to_le_bytes());
        let mut sums = [0x67452301u32, 0xefcdab89, 0x98badcfe, 0x10325476];
        for block in data.chunks(64) {
            let words: Vec<u32> = (0..16)
                .map(|at| u32::from_le_bytes([block[4 * at], block[4 * at + 1], block[4 * at + 2], block[4 * at + 3]]))
                .collect();
            let [mut a, mut b, mut c, mut d] = sums;
            for step in 0..64usize {
                let (mixed, word) = match step / 16 {
                    0 => ((b & c) | (!b & d), step),
                    1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                    2 => (b ^ c ^ d, (3 * step + 5) % 16),
                    _ => (c ^ (b | !d), 7 * step % 16),
                };
                let constant = (((step + 1) as f64).sin().abs() * 4294967296.0) as u32;
                let sum = a.wrapping_add(mixed).wrapping_add(constant).wrapping_add(words[word]);
                a = d;
                d = c;
                c = b;
                b = b.wrapping_add(sum.rotate_left(TURNS[step / 16][step % 4]));
            }
            for (sum, more) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = sum.wrapping_add(more);
            }
        }
        let mut digest = [0; 16];
        for (place, byte) in sums.iter().flat_map(|sum| sum.to_le_bytes()).enumerate() {
            digest[place] = byte;
        }
        Digest(digest)
    }
}
