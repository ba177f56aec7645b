//! AES-128 in CFB mode with whole blocks of feedback, the initial vector in front. Does not tell whether a key is the
//! right one: whoever decrypts has to recognise what comes out. Never pads.

use aes::Aes128;
use cfb_mode::cipher::KeyIvInit;
use zeroize::Zeroizing;

use crate::model::secret_seed::SecretDice;

/// Bytes of a key.
pub const KEY_BYTES: usize = 16;
/// Bytes of the initial vector.
const IV_BYTES: usize = 16;

/// The ciphertext of `plain`, a random initial vector in front.
pub fn encrypt(key: &[u8; KEY_BYTES], plain: &[u8], dice: &mut SecretDice) -> Vec<u8> {
    let mut out = vec![0; IV_BYTES + plain.len()];
    let (iv, body) = out.split_at_mut(IV_BYTES);
    dice.fill(iv);
    body.copy_from_slice(plain);
    let iv: &[u8; IV_BYTES] = (&*iv).try_into().expect("it was split there");
    cfb_mode::Encryptor::<Aes128>::new(key.into(), iv.into()).encrypt(body);
    out
}

/// What [`encrypt`] was given, or noise where the key is another one. `None` when it is too short.
pub fn decrypt(key: &[u8; KEY_BYTES], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, body) = bytes.split_first_chunk::<IV_BYTES>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    cfb_mode::Decryptor::<Aes128>::new(key.into(), iv.into()).decrypt(&mut plain);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret_seed::SecretSeed;

    #[test]
    fn what_is_encrypted_comes_back_with_its_key_alone() {
        let mut dice = SecretSeed::repeatable(1).dice();
        let plain = b"exactly thirty-two bytes of text";
        let first = encrypt(&[1; KEY_BYTES], plain, &mut dice);
        let second = encrypt(&[1; KEY_BYTES], plain, &mut dice);
        assert_ne!(first, second, "no initial vector comes twice");
        assert_eq!(decrypt(&[1; KEY_BYTES], &first).unwrap().as_slice(), plain);
        assert_ne!(decrypt(&[2; KEY_BYTES], &first).unwrap().as_slice(), plain);
        assert!(decrypt(&[1; KEY_BYTES], &first[..15]).is_none());
    }
}
