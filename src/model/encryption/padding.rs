//! The form in which secrets are encrypted: length, data, random filler. Hides how long short secrets are. Never encrypts.

use zeroize::Zeroizing;

use crate::model::secret_seed::SecretDice;

/// Bytes of the length before the data.
const LENGTH_BYTES: usize = 2;
/// What the whole is a multiple of.
const BLOCK: usize = 32;

/// Data in its padded form. `None` when its length does not fit into two bytes.
pub fn pad(data: &[u8], dice: &mut SecretDice) -> Option<Zeroizing<Vec<u8>>> {
    let length = u16::try_from(data.len()).ok()?;
    let total = (LENGTH_BYTES + data.len()).next_multiple_of(BLOCK);
    let mut padded = Zeroizing::new(vec![0; total]);
    padded[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    padded[LENGTH_BYTES..LENGTH_BYTES + data.len()].copy_from_slice(data);
    dice.fill(&mut padded[LENGTH_BYTES + data.len()..]);
    Some(padded)
}

/// The data of a padded form. `None` when it is none: most keys that do not fit give such.
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let fits = padded.len() == (LENGTH_BYTES + length).next_multiple_of(BLOCK);
    if fits { rest.get(..length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret_seed::SecretSeed;

    const MAX_BYTES: usize = u16::MAX as usize;

    #[test]
    fn every_length_comes_back() {
        let mut dice = SecretSeed::repeatable(7).dice();
        for length in [0, 1, 16, 28, 29, 30, 31, 62, 63, 512, MAX_BYTES] {
            let data = vec![0xA5; length];
            let padded = pad(&data, &mut dice).unwrap();
            assert_eq!(padded.len() % BLOCK, 0, "{length}");
            assert_eq!(unpad(&padded), Some(data.as_slice()), "{length}");
        }
        assert!(pad(&vec![0; MAX_BYTES + 1], &mut dice).is_none());
    }

    #[test]
    fn what_has_another_length_than_it_says_is_no_padded_form() {
        let with = |length: u16, total: usize| {
            let mut bytes = vec![0; total];
            bytes[..2].copy_from_slice(&length.to_be_bytes());
            bytes
        };
        assert!(unpad(&with(30, 32)).is_some());
        for (length, total) in [(31, 32), (30, 64), (0, 0), (65535, 32), (1, 33)] {
            let bytes = if total == 0 { vec![0] } else { with(length, total) };
            assert_eq!(unpad(&bytes), None, "{length} in {total}");
        }
    }
}
