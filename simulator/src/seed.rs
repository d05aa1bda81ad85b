//! The fleet's one source of variety: numbers drawn from (seed, device, purpose, counter).
//!
//! A draw depends on nothing else, so it does not matter in which order devices are asked. Reads no clock.

use jiff::SignedDuration;

/// How far a duration may lie from its nominal value, either way.
const SPREAD: f64 = 0.15;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A well mixed number: FNV-1a over the names, finished by splitmix64.
    pub(crate) fn draw(self, device: &str, purpose: &str, counter: u64) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.0;
        for byte in device
            .bytes()
            .chain([0])
            .chain(purpose.bytes())
            .chain(counter.to_le_bytes())
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut mixed = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number in `low..=high`.
    pub(crate) fn between(self, device: &str, purpose: &str, counter: u64, low: u64, high: u64) -> u64 {
        low + self.draw(device, purpose, counter) % (high - low + 1)
    }

    /// `nominal`, spread by up to 15 % either way, in whole milliseconds.
    pub(crate) fn spread(
        self,
        device: &str,
        purpose: &str,
        counter: u64,
        nominal: SignedDuration,
    ) -> SignedDuration {
        let thousandths = u32::try_from(self.draw(device, purpose, counter) % 2001).map_or(1000.0, f64::from);
        let factor = 1.0 + SPREAD * (thousandths / 1000.0 - 1.0);
        let millis = nominal.mul_f64(factor).as_millis();
        SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_every_part_and_on_nothing_else() {
        let seed = Seed::new(7);
        let one = seed.draw("fw1", "dark", 1);
        assert_eq!(one, seed.draw("fw1", "dark", 1));
        for other in [
            seed.draw("fw2", "dark", 1),
            seed.draw("fw1", "login", 1),
            seed.draw("fw1", "dark", 2),
            Seed::new(8).draw("fw1", "dark", 1),
            seed.draw("fw1d", "ark", 1),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_spread_stays_within_fifteen_percent_and_uses_the_range() {
        let nominal = SignedDuration::from_secs(100);
        let drawn: Vec<_> = (0..500)
            .map(|n| Seed::new(1).spread("fw", "dark", n, nominal))
            .collect();
        assert!(drawn.iter().all(|d| (85..=115).contains(&d.as_secs())));
        assert!(drawn.iter().any(|d| d.as_secs() < 88) && drawn.iter().any(|d| d.as_secs() > 112));
    }
}
