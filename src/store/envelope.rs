//! How a value lies in a store: the body, then a trailer of schema version, checksum and format byte. It never decides
//! what becomes of a damaged value.

/// The only form of the trailer so far: `schema: u32 LE`, `crc32: u32 LE`, this byte.
const FORMAT: u8 = 1;
const TRAILER_BYTES: usize = 9;

/// CRC-32 over key, body and schema: a value that lies under another key, or whose schema flipped, is damaged too.
fn checksum(key: &[u8], schema: u32, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&(key.len() as u64).to_le_bytes());
    crc.update(key);
    crc.update(body);
    crc.update(&schema.to_le_bytes());
    crc.finalize()
}

/// The value to keep under that key.
pub(crate) fn seal(key: &[u8], schema: u32, body: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(body.len() + TRAILER_BYTES);
    value.extend_from_slice(body);
    value.extend_from_slice(&schema.to_le_bytes());
    value.extend_from_slice(&checksum(key, schema, body).to_le_bytes());
    value.push(FORMAT);
    value
}

/// Schema and length of the body of a value; the error says what is wrong with it.
fn inspect(key: &[u8], value: &[u8]) -> Result<(u32, usize), String> {
    let (body, trailer) = value.split_last_chunk::<TRAILER_BYTES>().ok_or("its value is cut off")?;
    let [s0, s1, s2, s3, c0, c1, c2, c3, format] = *trailer;
    if format != FORMAT {
        return Err(format!("its value has the unknown form {format}"));
    }
    let schema = u32::from_le_bytes([s0, s1, s2, s3]);
    if u32::from_le_bytes([c0, c1, c2, c3]) != checksum(key, schema, body) {
        return Err("its checksum does not match".to_owned());
    }
    Ok((schema, body.len()))
}

/// Schema and body of a value, without a copy; a damaged one is given back with what is wrong.
pub(crate) fn open(key: &[u8], mut value: Vec<u8>) -> Result<(u32, Vec<u8>), (String, Vec<u8>)> {
    match inspect(key, &value) {
        Ok((schema, length)) => {
            value.truncate(length);
            Ok((schema, value))
        }
        Err(why) => Err((why, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens() {
        for body in [&b""[..], b"{}", b"{\"a\":1}"] {
            assert_eq!(open(b"node/a", seal(b"node/a", 7, body)), Ok((7, body.to_vec())));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let sealed = seal(b"node/a", 1, b"{\"a\":1}");
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (why, bytes) = open(b"node/a", damaged.clone()).unwrap_err();
            assert!(!why.is_empty());
            assert_eq!(bytes, damaged, "the damaged bytes are given back whole");
        }
        for length in 0..sealed.len() {
            assert!(open(b"node/a", sealed[..length].to_vec()).is_err(), "cut to {length}");
        }
        assert!(open(b"node/b", sealed).is_err(), "a value belongs to its key");
    }
}
